import { totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { EXIT } from '../contracts/errors';
import { type StageProgress } from '../contracts/stage';
import { fromStageError } from '../contracts/stage-error';
import { UNGUARDED } from '../ml/scoring/native-section';
import { STAGE_NAMES } from './catalog';
import { runInFolder } from './run-in-folder';

const USAGE = `usage: node dist/stages/main.js ${STAGE_NAMES.join('|')} [--dir /stage] [--memory BYTES] [--attached]`;

/**
 * Entry point of a container, and of `retrain stage`: runs one stage in a folder of the stage contract.
 * Progress goes to stdout as JSON lines; the error, one line, to stderr; the exit code is the error's.
 */
async function main(argv: readonly string[]): Promise<number> {
  let stage: string | undefined;
  let dir: string;
  let memoryBytes: number | undefined;
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        dir: { type: 'string', default: '/stage' },
        memory: { type: 'string' },
        attached: { type: 'boolean', default: false },
      },
    });
    [stage] = positionals;
    dir = values.dir;
    memoryBytes = values.memory === undefined ? containerMemory() : Number(values.memory);
    if (values.attached) endWithParent();
    if (stage === undefined || positionals.length > 1 || !STAGE_NAMES.includes(stage)) throw new Error(USAGE);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return EXIT.usage;
  }
  const report = (progress: StageProgress): void => {
    process.stdout.write(`${JSON.stringify({ stage, ...progress })}\n`);
  };
  const failure = await runInFolder(stage, dir, report, UNGUARDED, memoryBytes);
  if (failure === null) return EXIT.done;
  const error = fromStageError(failure);
  process.stderr.write(`${error.code}: ${error.message}\n`);
  return error.exitCode;
}

/** What a container leaves a stage of its memory; undefined where there is no bound. */
function containerMemory(): number | undefined {
  const bound = process.constrainedMemory() ?? 0;
  return bound > 0 && bound < totalmem() ? Math.floor(bound * 0.8) : undefined;
}

/** Whoever started this process holds its stdin open for as long as it lives. */
function endWithParent(): void {
  process.stdin.on('end', () => process.exit(EXIT.cancelled)).resume();
}

void main(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
  process.stdin.destroy();
});
