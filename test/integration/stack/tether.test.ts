import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { transformFileSync } from '@swc/core';
import { findProcess } from '../../../client/stack/process-table';
import { endGroup } from '../../../client/stack/server-process';
import { tether } from './tether';

async function startServer(): Promise<number> {
  const child = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' });
  await once(child, 'spawn');
  child.unref();
  return child.pid!;
}

describe('the tether', () => {
  it('ends a server when the process that it is tied to is killed', async () => {
    const server = await startServer();
    const outfile = path.join(mkdtempSync(path.join(tmpdir(), 'retrain-tether-')), 'tether.cjs');
    const { code } = transformFileSync(path.join(__dirname, 'tether.ts'), {
      ...{ configFile: false, swcrc: false, module: { type: 'commonjs' } },
      jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
    });
    writeFileSync(outfile, code);
    const script = `require(${JSON.stringify(outfile)}).tether(${server}); console.log('tied'); setInterval(() => {}, 1e6);`;
    const holder = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(holder.stdout, 'data');
    expect(findProcess(server)).not.toBeNull();
    holder.kill('SIGKILL');
    while (findProcess(server) !== null) await sleep(50);
  });

  it('lets go of a server that is untied', async () => {
    const server = await startServer();
    tether(server)();
    await sleep(300);
    expect(findProcess(server)).not.toBeNull();
    await endGroup(server, 1_000);
  });
});
