import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { connect } from '../../temporal/connect';
import { freePort } from '../../client/stack/ports';
import { ROOT, TestProject } from './pipeline/test-project';

const settings = (address: string): Parameters<typeof connect>[0] => ({
  ...{ address, namespace: 'default', uiUrl: null },
  connection: { address },
});

describe('connect', () => {
  it('says the address and the way out when nobody answers', async () => {
    const address = `127.0.0.1:${await freePort()}`;
    await expect(connect(settings(address), { timeoutMs: 500 })).rejects.toThrow(
      new RegExp(`no Temporal server answers at ${address} \\(.+\\); start one with \`retrain up\``),
    );
  });

  it("reaches a server on this machine past a company's proxy", async () => {
    const project = new TestProject();
    const nobody = `http://127.0.0.1:${await freePort()}`;
    const child = spawn(process.execPath, [path.join(ROOT, 'bin', 'retrain'), 'schedule', 'list'], {
      cwd: project.dir,
      env: { ...process.env, ...project.env, http_proxy: nobody, https_proxy: nobody, no_proxy: '' },
    });
    const [code] = (await once(child, 'close')) as [number];
    await project.remove();
    expect(code).toBe(0);
  });
});
