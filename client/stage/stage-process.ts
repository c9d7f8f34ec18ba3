import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { RetrainError } from '../../contracts/errors';
import { fullDiskIn } from '../../contracts/stage-error';
import { plainWords } from '../../contracts/plain-words';
import { parseProgressLine } from '../../contracts/progress-line';
import { type StageProgress } from '../../contracts/stage';
import { type Environment } from '../../integrations/files/dot-env';
import { stageErrorIn } from '../../integrations/files/stage-error';

/** Of what a stage prints on stderr, the last characters are shown. */
const MOST_SAID = 64 << 10;

export interface StageProcess {
  /** dist/stages/main.js */
  entry: string;
  stage: string;
  /** Folder of the stage contract. */
  dir: string;
  env: Environment;
  signal: AbortSignal;
  onProgress(progress: StageProgress): void;
}

/**
 * Runs a stage's code in a process of its own, to its end; what it prints beside its progress goes to stderr.
 *
 * @returns ms that it took
 * @throws RetrainError what the stage left in out/error.json; STAGE_FAILED when it left nothing
 */
export async function runStageProcess(run: StageProcess): Promise<number> {
  const begun = performance.now();
  run.signal.throwIfAborted();
  const child = spawn(process.execPath, [run.entry, run.stage, '--dir', run.dir], {
    env: { ...run.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-MOST_SAID)));
  const kill = (): void => void child.kill('SIGKILL');
  run.signal.addEventListener('abort', kill);
  try {
    const lines = createInterface({ input: child.stdout });
    lines.on('line', (line) => tell(line, run));
    const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
    run.signal.throwIfAborted();
    const error = code === 0 ? null : ((await stageErrorIn(run.dir)) ?? fullDiskIn(said));
    // A stage says its error on stderr, too.
    process.stderr.write(
      plainWords(error === null ? said : said.replace(`${error.code}: ${error.message}\n`, '')),
    );
    if (code === 0) return Math.round(performance.now() - begun);
    throw (
      error ??
      new RetrainError(
        'STAGE_FAILED',
        `${run.stage} ended with ${signal === null ? `exit code ${code}` : signal} and left no error; what it printed is above`,
      )
    );
  } finally {
    run.signal.removeEventListener('abort', kill);
  }
}

function tell(line: string, run: StageProcess): void {
  const progress = parseProgressLine(line);
  if (progress === undefined) process.stderr.write(`${plainWords(line)}\n`);
  else run.onProgress(progress);
}
