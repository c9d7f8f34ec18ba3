import { RUN_TAG } from '../../contracts/names';
import { TrainingResult } from '../../contracts/run';
import { LIMIT } from './limits';

/**
 * The tags that hold a run’s result: `pipeline_result`, and when its JSON is longer than one tag may be,
 * `pipeline_result.1`, `.2`, … with the rest. Cutting it would make a finished run unreadable.
 */
export function resultTags(result: TrainingResult): Record<string, string> {
  const json = ascii(JSON.stringify(result));
  const tags: Record<string, string> = {};
  for (let at = 0, part = 0; at < json.length; at += LIMIT.tag, part += 1) {
    tags[partKey(part)] = json.slice(at, at + LIMIT.tag);
  }
  return tags;
}

/** The result that a run’s tags hold, or null when there is none, or one of a shape that is no longer read. */
export function resultFromTags(tags: Readonly<Record<string, string>>): TrainingResult | null {
  let json = '';
  for (let part = 0; ; part += 1) {
    const piece = tags[partKey(part)];
    if (piece === undefined) break;
    json += piece;
  }
  if (json === '') return null;
  try {
    return TrainingResult.safeParse(JSON.parse(json)).data ?? null;
  } catch {
    return null;
  }
}

/** JSON with every other character escaped, so that it can be cut anywhere. */
function ascii(json: string): string {
  return json.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function partKey(part: number): string {
  return part === 0 ? RUN_TAG.result : `${RUN_TAG.result}.${part}`;
}
