import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Compiles a thread's entry file of the sources, for tests that run from them. */
export function compileEntry(source: string): { entry: string; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'retrain-thread-'));
  const entry = join(folder, 'entry.js');
  const root = join(__dirname, '../../..');
  execFileSync(join(root, 'node_modules/.bin/esbuild'), [
    join(root, source),
    '--bundle',
    '--platform=node',
    '--log-level=error',
    `--outfile=${entry}`,
  ]);
  return { entry, remove: () => rmSync(folder, { recursive: true }) };
}
