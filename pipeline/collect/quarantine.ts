import { type RefusedRow } from './fit-rows';

/** More than these are only counted. */
const MOST_ROWS = 1000;
const MOST_CHARACTERS = 4000;

/** Refused rows as lines of JSON: `{"row": 3, "why": "price must be ≥ 0", "value": …}`, of each value the beginning. */
export function quarantineText(refused: readonly RefusedRow[]): string {
  const lines = refused.slice(0, MOST_ROWS).map(({ row, why, value }) => {
    const text = JSON.stringify(value) ?? 'null';
    const shown = text.length <= MOST_CHARACTERS ? value : `${text.slice(0, MOST_CHARACTERS)}…`;
    return JSON.stringify({ row, why, value: shown });
  });
  const more = refused.length - lines.length;
  return `${lines.join('\n')}\n${more > 0 ? `${JSON.stringify({ more })}\n` : ''}`;
}
