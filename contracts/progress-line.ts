import { plainLine } from './plain-words';
import { type StageProgress } from './stage';

/** A phase is a few words; what is longer is cut. */
const MOST_CHARACTERS = 100;

/**
 * A progress report on a stage's stdout: a line such as `{"phase": "growing trees", "done": 3, "total": 10}`; other fields are
 * left out. Undefined for any other line: that is output.
 */
export function parseProgressLine(line: string): StageProgress | undefined {
  if (!line.startsWith('{')) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  const { phase, done, total } = value as Record<string, unknown>;
  if (typeof phase !== 'string') return undefined;
  return {
    phase: plainLine(phase.slice(0, MOST_CHARACTERS)),
    ...(typeof done === 'number' ? { done } : {}),
    ...(typeof total === 'number' ? { total } : {}),
  };
}
