import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isNativeError } from 'node:util/types';
import { RetrainError } from '../contracts/errors';
import { Metrics, type StageError, type StageProgress } from '../contracts/stage';
import { type NativeSection, UNGUARDED } from '../ml/scoring/native-section';
import { ForeignModel } from '../ml/scoring/foreign-model';
import { stageFor } from './catalog';
import { parseInput } from './parse-input';
import { type StageContext } from './stage';

const METRICS_FILE = 'metrics.json';
export const ERROR_FILE = 'error.json';

/** The code by which a thread hands a stage back that is to run in a process: none that anybody else sees. */
export const FOREIGN_MODEL = 'FOREIGN_MODEL';

/**
 * Runs a stage in a folder: reads `<dir>/in/<name>` and `<dir>/params.json`, writes `<dir>/out/<name>`. The last
 * thing that appears, by rename, is `<dir>/out/metrics.json`, so what has one is whole; on failure there is
 * `<dir>/out/error.json` instead. The same in a thread and in a container.
 *
 * @param isolated see `StageContext`
 * @returns null when it succeeded, else its error. Does not throw for what goes wrong inside.
 */
export async function runInFolder(
  name: string,
  dir: string,
  report: (progress: StageProgress) => void,
  native: NativeSection = UNGUARDED,
  memoryBytes?: number,
  isolated = true,
): Promise<StageError | null> {
  const out = join(dir, 'out');
  try {
    mkdirSync(out, { recursive: true });
    for (const file of [METRICS_FILE, ERROR_FILE]) rmSync(join(out, file), { force: true });
    // Loading a stage may load native code.
    const stage = await native.run(() => stageFor(name));
    const made = await stage(contextIn(dir, { report, native, isolated }, memoryBytes));
    const metrics = parseInput(Metrics, made, `metrics of ${name}`, 'STAGE_FAILED');
    writeWhole(join(out, METRICS_FILE), metrics);
    return null;
  } catch (error) {
    const failure = stageError(name, out, error);
    writeError(out, failure);
    return failure;
  }
}

function contextIn(
  dir: string,
  given: Pick<StageContext, 'report' | 'native' | 'isolated'>,
  memoryBytes: number | undefined,
): StageContext {
  const optionalInput = (name: string): string | undefined => {
    const path = join(dir, 'in', name);
    return existsSync(path) ? path : undefined;
  };
  return {
    optionalInput,
    input: (name) => {
      const path = optionalInput(name);
      if (path !== undefined) return path;
      throw new RetrainError(
        'STAGE_FAILED',
        `the input in/${name} is not there, expected the stage’s inputs`,
      );
    },
    output: (name) => join(dir, 'out', name),
    params: JSON.parse(readFileSync(join(dir, 'params.json'), 'utf8')) as unknown,
    ...given,
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
  };
}

const MOST_CHARACTERS = 300;

/** Errors of the operating system that say that no room is left; DuckDB has words for it. */
const FULL: readonly string[] = ['ENOSPC', 'EDQUOT'];
const FULL_IN_WORDS = /ENOSPC|EDQUOT|No space left on device|Disk quota exceeded/;

const isFull = (error: Error): boolean =>
  ('code' in error && FULL.includes(String(error.code))) || FULL_IN_WORDS.test(error.message);

/** An error as it leaves a stage, one line: of our own kind as it is, anything else as STAGE_FAILED. */
function stageError(name: string, out: string, error: unknown): StageError {
  // Native code and threads throw errors of other realms.
  if (!isNativeError(error)) return { code: 'STAGE_FAILED', message: `${name}: ${String(error)}` };
  const stack = error.stack === undefined ? {} : { stack: error.stack };
  if (error instanceof ForeignModel) return { code: FOREIGN_MODEL, message: error.message };
  if (error instanceof RetrainError) return { code: error.code, message: error.message, ...stack };
  const line = error.message.replace(/\s+/g, ' ').trim() || error.name;
  const shown = line.length > MOST_CHARACTERS ? `${line.slice(0, MOST_CHARACTERS - 1)}…` : line;
  if (!isFull(error)) return { code: 'STAGE_FAILED', message: `${name}: ${shown}`, ...stack };
  const message = `${name}: ${out} is full (${shown}); make room there, then repeat`;
  return { code: 'DISK_FULL', message, ...stack };
}

function writeError(out: string, error: StageError): void {
  try {
    rmSync(join(out, METRICS_FILE), { force: true });
    writeWhole(join(out, ERROR_FILE), error);
  } catch (cause) {
    // A full disk may leave no room even for this; what started the stage sees that neither file is there.
    process.stderr.write(`${error.message}; out/${ERROR_FILE} could not be written: ${String(cause)}\n`);
  }
}

function writeWhole(path: string, content: unknown): void {
  writeFileSync(`${path}.part`, `${JSON.stringify(content)}\n`);
  renameSync(`${path}.part`, path);
}
