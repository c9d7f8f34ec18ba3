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

test('a command’s own --version is the command’s', async () => {
  const bench = new Workbench();
  try {
    const ask = ['approve', 'iris', '--version', '3', '--reason', 'r', '--json'];
    const { code, stdout } = await bench.cli(ask, { TEMPORAL_ADDRESS: '127.0.0.1:1' });
    expect({ code, stdout }).toEqual({
      ...{ code: 4, stdout: expect.stringContaining('TEMPORAL_UNREACHABLE') as string },
    });
  } finally {
    bench.remove();
  }
});
