import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { CLI, Workbench } from './workbench';

test.each(['--version', '-V'])('retrain %s says the version of its package', (flag) => {
  const bench = new Workbench();
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  try {
    expect(execFileSync(process.execPath, [CLI, flag], { cwd: bench.dir, encoding: 'utf8' })).toBe(
      `${version}\n`,
    );
  } finally {
    bench.remove();
  }
});
