/**
 * `node:child_process` for suites, which run from the sources: a process whose compiled file is not there runs what is compiled
 * from the TypeScript beside it when it starts. All else is Node's own.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
// Without `node:`, which is what Jest's configuration turns into this file.
import processes from 'child_process';
import { buildSync } from 'esbuild';

// Below the project, so that packages are found.
const FOLDER = path.join(__dirname, '..', '..', '.retrain', 'test', 'compiled');

function compiled(argument: string): string {
  const source = argument.replace(/\.js$/, '.ts');
  if (source === argument || existsSync(argument) || !existsSync(source)) return argument;
  const { outputFiles } = buildSync({
    entryPoints: [source],
    bundle: true,
    write: false,
    platform: 'node',
    packages: 'external',
    logLevel: 'error',
  });
  const code = outputFiles[0]!.contents;
  const name = createHash('sha256').update(code).digest('hex').slice(0, 16);
  const file = path.join(FOLDER, `${name}.cjs`);
  if (!existsSync(file)) {
    mkdirSync(FOLDER, { recursive: true });
    writeFileSync(`${file}.${process.pid}`, code);
    renameSync(`${file}.${process.pid}`, file);
  }
  return file;
}

function spawn(command: string, ...rest: unknown[]): processes.ChildProcess {
  const [args, options] = Array.isArray(rest[0]) ? [rest[0] as string[], rest[1]] : [[], rest[0]];
  return processes.spawn(command, args.map(compiled), (options ?? {}) as processes.SpawnOptions);
}

export = { ...processes, spawn };
