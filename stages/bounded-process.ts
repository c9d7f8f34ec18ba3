import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { RetrainError } from '../contracts/errors';
import { parseProgressLine } from '../contracts/progress-line';
import { StageError, type StageProgress } from '../contracts/stage';
import { fromStageError, fullDiskIn } from '../contracts/stage-error';
import {
  boundedCommand,
  MOST_SAID,
  preferInOutOfMemory,
  residentBytes,
  saidOutOfMemory,
  WATCH_MS,
} from '../ml/bounds/child-bounds';
import { shownGib } from '../ml/dataset/room';
import { ERROR_FILE } from './run-in-folder';

export interface BoundedRun {
  /** Compiled stages/main.js, absolute. */
  entry: string;
  stage: string;
  /** Folder of the stage contract. */
  dir: string;
  memoryBytes: number;
  /** Longest run time in ms, and the words for it; absent: any. */
  timeLimit?: { ms: number; message: string } | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: StageProgress) => void) | undefined;
}

const MOST_ERROR_BYTES = 64 << 10;

/**
 * Runs a stage in a process of its own that takes no more memory than it may: its resident memory is watched and, as a
 * last resort, its address space is limited by the kernel, which also ends it first should the machine run out. It is
 * killed when the signal is aborted, and ends when this process does.
 *
 * @returns ms that it took, its start included
 * @throws RetrainError what the stage left in out/error.json; STAGE_OUT_OF_MEMORY with how far it was; the time limit's
 * message; STAGE_FAILED when it left nothing. The signal's reason when aborted.
 */
export async function runBounded(run: BoundedRun): Promise<number> {
  const begun = performance.now();
  const { stage, dir, signal, memoryBytes, timeLimit } = run;
  signal?.throwIfAborted();
  // In the stage's folder, so that what a killed process leaves goes with it.
  const temporary = join(dir, 'tmp');
  mkdirSync(temporary, { recursive: true });
  const program = [run.entry, stage, '--dir', dir, '--memory', String(memoryBytes), '--attached'];
  const { command, args, env } = boundedCommand(program, memoryBytes);
  const child = spawn(command, args, {
    env: { ...env, TMPDIR: temporary },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let said = '';
  let last: StageProgress | undefined;
  let ended: RetrainError | undefined;
  const end = (error?: RetrainError): void => {
    ended ??= error;
    child.kill('SIGKILL');
  };
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-MOST_SAID)));
  createInterface({ input: child.stdout }).on('line', (line) => {
    last = parseProgressLine(line) ?? last;
    if (last !== undefined) run.onProgress?.(last);
  });
  const abort = (): void => end();
  signal?.addEventListener('abort', abort);
  preferInOutOfMemory(child.pid);
  const watch = setInterval(() => {
    if (residentBytes(child.pid) > memoryBytes) end(outOfMemory(run, last));
  }, WATCH_MS);
  const timer =
    timeLimit === undefined
      ? undefined
      : setTimeout(() => end(new RetrainError('CONFIG_INVALID', timeLimit.message)), timeLimit.ms);
  try {
    const [code, killedBy] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
    signal?.throwIfAborted();
    if (ended !== undefined) throw ended;
    if (code === 0) return performance.now() - begun;
    const error = errorIn(dir);
    if (error !== undefined) throw error;
    const full = fullDiskIn(said);
    if (full !== null) throw full;
    if (isOutOfMemory(code, killedBy, said)) throw outOfMemory(run, last);
    throw new RetrainError(
      'STAGE_FAILED',
      `${stage}: its process ended with ${killedBy ?? `exit code ${code}`} and left no out/${ERROR_FILE}`,
    );
  } finally {
    clearInterval(watch);
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  }
}

/** V8 and C++ end a process that gets no memory by an abort, the kernel by a kill. */
function isOutOfMemory(code: number | null, killedBy: NodeJS.Signals | null, said: string): boolean {
  const aborted = killedBy === 'SIGABRT' || killedBy === 'SIGTRAP' || code === 134 || code === 133;
  return killedBy === 'SIGKILL' || (aborted && saidOutOfMemory(said));
}

function outOfMemory({ stage, memoryBytes }: BoundedRun, last: StageProgress | undefined): RetrainError {
  const done = last?.done === undefined ? '' : ` (${last.done} done)`;
  const where = last === undefined ? '' : `, while ${last.phase}${done}`;
  return new RetrainError(
    'STAGE_OUT_OF_MEMORY',
    `${stage}: took more than the ${shownGib(memoryBytes)} of memory that a stage may take${where}; raise RETRAIN_STAGE_MEMORY on the worker, or read less (preprocess.filter, preprocess.drop, data.files)`,
  );
}

function errorIn(dir: string): RetrainError | undefined {
  const path = join(dir, 'out', ERROR_FILE);
  try {
    if (statSync(path).size > MOST_ERROR_BYTES) return undefined;
    const parsed = StageError.safeParse(JSON.parse(readFileSync(path, 'utf8')));
    return parsed.success ? fromStageError(parsed.data) : undefined;
  } catch {
    return undefined;
  }
}
