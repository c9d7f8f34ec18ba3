import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { RetrainError } from '../contracts/errors';
import { parseProgressLine } from '../contracts/progress-line';
import { StageError, type StageProgress } from '../contracts/stage';
import { fromStageError, fullDiskIn } from '../contracts/stage-error';
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

/** How often the memory of the process is looked at: it can grow by some 100 MB meanwhile. */
const WATCH_MS = 50;

/** Address space beyond the memory: V8 and native allocators reserve more than they use. */
const SPARE_ADDRESSES = 16 * 2 ** 30;

/** stderr is kept for a stage that says nothing else. */
const MOST_SAID = 2000;

const MOST_ERROR_BYTES = 64 << 10;

const PAGE_BYTES = 4096;

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
  const heap = Math.max(64, Math.floor(memoryBytes / 2 ** 20));
  const command = [
    ...[process.execPath, `--max-old-space-size=${heap}`, run.entry, stage, '--dir', dir],
    ...['--memory', String(memoryBytes), '--attached'],
  ];
  // In the stage's folder, so that what a killed process leaves goes with it.
  const temporary = join(dir, 'tmp');
  mkdirSync(temporary, { recursive: true });
  const addresses = Math.floor((memoryBytes + SPARE_ADDRESSES) / 1024);
  const child = spawn('/bin/sh', ['-c', `ulimit -v ${addresses} 2>/dev/null; exec "$@"`, 'sh', ...command], {
    // Nothing of this process's environment: it may hold secrets.
    env: { PATH: dirname(process.execPath), TMPDIR: temporary },
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
  return killedBy === 'SIGKILL' || (aborted && /out of memory|bad_alloc|allocation failed/i.test(said));
}

function outOfMemory({ stage, memoryBytes }: BoundedRun, last: StageProgress | undefined): RetrainError {
  const done = last?.done === undefined ? '' : ` (${last.done} done)`;
  const where = last === undefined ? '' : `, while ${last.phase}${done}`;
  return new RetrainError(
    'STAGE_OUT_OF_MEMORY',
    `${stage}: took more than the ${shownGib(memoryBytes)} of memory that a stage may take${where}; raise RETRAIN_STAGE_MEMORY on the worker, or read less (preprocess.filter, preprocess.drop, data.files)`,
  );
}

/** Resident memory of a process; 0 where the system does not tell. */
export function residentBytes(pid: number | undefined): number {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')[1]) * PAGE_BYTES;
  } catch {
    return 0;
  }
}

function preferInOutOfMemory(pid: number | undefined): void {
  try {
    writeFileSync(`/proc/${pid}/oom_score_adj`, '1000');
  } catch {
    // Not on every system; the watch is what bounds it.
  }
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
