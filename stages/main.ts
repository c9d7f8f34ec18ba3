import { parseArgs } from 'node:util';
import { EXIT } from '../contracts/errors';
import { fromStageError } from '../contracts/stage-error';
import { STAGE_NAMES } from './catalog';
import { runInFolder } from './run-in-folder';

const USAGE = `usage: node dist/stages/main.js ${STAGE_NAMES.join('|')} [--dir /stage]`;

/**
 * Entry point of a container, and of `retrain stage`: runs one stage in a folder of the stage contract.
 * Progress goes to stdout as JSON lines; the error, one line, to stderr; the exit code is the error's.
 */
async function main(argv: readonly string[]): Promise<number> {
  let stage: string | undefined;
  let dir: string;
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: { dir: { type: 'string', default: '/stage' } },
    });
    [stage] = positionals;
    dir = values.dir;
    if (stage === undefined || positionals.length > 1 || !STAGE_NAMES.includes(stage)) throw new Error(USAGE);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return EXIT.usage;
  }
  const failure = await runInFolder(stage, dir, (progress) => {
    process.stdout.write(`${JSON.stringify({ stage, ...progress })}\n`);
  });
  if (failure === null) return EXIT.done;
  const error = fromStageError(failure);
  process.stderr.write(`${error.code}: ${error.message}\n`);
  return error.exitCode;
}

void main(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});
