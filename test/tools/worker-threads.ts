/**
 * `node:worker_threads` for suites, which run from the sources: a thread whose compiled file is not there is compiled from the
 * TypeScript beside it when it starts. All else is Node's own.
 */
import { existsSync } from 'node:fs';
// Without `node:`, which is what Jest's configuration turns into this file.
import threads from 'worker_threads';
import { buildSync } from 'esbuild';

const compiled = new Map<string, string>();

function compile(source: string): string {
  let code = compiled.get(source);
  if (code === undefined) {
    const { outputFiles } = buildSync({
      entryPoints: [source],
      bundle: true,
      write: false,
      platform: 'node',
      packages: 'external',
      logLevel: 'error',
    });
    code = outputFiles[0]!.text;
    compiled.set(source, code);
  }
  return code;
}

class Worker extends threads.Worker {
  constructor(file: string | URL, options?: ConstructorParameters<typeof threads.Worker>[1]) {
    const source = typeof file === 'string' ? file.replace(/\.js$/, '.ts') : '';
    if (options?.eval || source === file || existsSync(file) || !existsSync(source)) super(file, options);
    else super(compile(source), { ...options, eval: true });
  }
}

export = { ...threads, Worker };
