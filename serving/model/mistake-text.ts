import { type FieldMistake } from './served-model';

/** Mistakes that one message tells. */
const TOLD = 5;

/** What is wrong with rows, in one line. */
export function expectedText(mistakes: readonly FieldMistake[]): string {
  const told = mistakes
    .slice(0, TOLD)
    .map(({ row, field, seen, expected }) =>
      field === ''
        ? `row ${row}: ${seen}, expected ${expected}`
        : `row ${row}, ${field}: ${seen}, expected ${expected}`,
    );
  const more = mistakes.length > TOLD ? ` (and ${mistakes.length - TOLD} more)` : '';
  return `${told.join('; ')}${more}`;
}
