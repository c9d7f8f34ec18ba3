import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createServer, type Server } from 'node:tls';
import { type AddressInfo } from 'node:net';
import { createEngine } from '../../../integrations/docker/engine';
import { requireEngine } from '../../../integrations/docker/images';
import { dockerSettings } from '../../../integrations/docker/settings';
import { makeCertificates } from './certificates';
import { describeWithDocker, dockerHost } from './engine';
import { read, Workbench } from './workbench';

jest.setTimeout(120_000);

/** Whether an engine can be talked to: resolves, or rejects with our error. */
function ask(env: Record<string, string>, ssh?: string): Promise<void> {
  const settings = dockerSettings(env);
  return requireEngine(createEngine(settings, ssh), settings.shown);
}

/** Runs a stage there, with its log followed and its end waited for. */
async function runStage(env: Record<string, string>, ssh?: string): Promise<string> {
  const bench = new Workbench();
  try {
    const { out, logFile } = await bench.run(
      'echo hello; cp /stage/in/data /stage/out/copy',
      {},
      bench.executor(env, ssh),
    );
    expect(read(logFile)).toBe('hello\n');
    return read(path.join(out, 'copy'));
  } finally {
    await bench.close();
  }
}

describeWithDocker('an engine over TCP with TLS', () => {
  const dir = mkdtempSync(path.join(tmpdir(), 'retrain-tls-'));
  const client = path.join(dir, 'client');
  const file = (name: string): Buffer => readFileSync(path.join(client, name));
  let server: Server;
  let env: Record<string, string>;

  beforeAll(async () => {
    mkdirSync(client);
    makeCertificates(client);
    // The tests' engine listens on a socket only: what dockerd --tlsverify does stands before it.
    const proof = { ca: file('ca.pem'), cert: file('server-cert.pem'), key: file('server-key.pem') };
    server = createServer({ ...proof, requestCert: true, rejectUnauthorized: true }, (socket) => {
      const engine = connect(dockerHost.replace('unix://', ''));
      socket.pipe(engine).pipe(socket);
      for (const end of [socket, engine])
        end.on('error', () => [socket, engine].forEach((each) => each.destroy()));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    env = { DOCKER_HOST: `tcp://127.0.0.1:${port}`, DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: client };
  });

  afterAll(async () => {
    await new Promise((resolve) => server.close(resolve));
    rmSync(dir, { recursive: true });
  });

  test('runs a stage', async () => {
    expect(await runStage(env)).toBe('the input\n');
  });

  test('is not talked to if its certificate is of another authority', async () => {
    const other = path.join(dir, 'other');
    mkdirSync(other);
    makeCertificates(other);
    await expect(ask({ ...env, DOCKER_CERT_PATH: other })).rejects.toMatchObject({
      code: 'DOCKER_UNREACHABLE',
      message: expect.stringMatching(/certificate|self-signed|unable to verify/) as string,
    });
  });

  test('is not reached without TLS', async () => {
    const { DOCKER_TLS_VERIFY: _verify, ...plain } = env;
    await expect(ask(plain)).rejects.toMatchObject({ code: 'DOCKER_UNREACHABLE' });
  });
});

describeWithDocker('an engine over SSH', () => {
  const dir = mkdtempSync(path.join(tmpdir(), 'retrain-ssh-'));
  const env = { DOCKER_HOST: 'ssh://ml@gpu-box:2222' };

  afterAll(() => rmSync(dir, { recursive: true }));

  /** A program in the place of ssh. */
  function instead(script: string): string {
    const file = path.join(dir, 'ssh');
    writeFileSync(file, `#!/bin/sh\n${script}\n`);
    chmodSync(file, 0o755);
    return file;
  }

  test('runs a stage: what ssh is told to run there is run here', async () => {
    const ssh = instead(
      `echo "$*" > ${dir}/told; while [ "$1" != -- ]; do shift; done; shift 2; DOCKER_HOST=${dockerHost} exec "$@"`,
    );
    expect(await runStage(env, ssh)).toBe('the input\n');
    expect(read(path.join(dir, 'told')).trim()).toBe(
      '-T -o BatchMode=yes -o ConnectTimeout=15 -l ml -p 2222 -- gpu-box docker system dial-stdio',
    );
  });

  test('is not reached without trust in its host: the message is ssh’s own', async () => {
    const ssh = instead('echo "Host key verification failed." >&2; exit 255');
    await expect(ask(env, ssh)).rejects.toMatchObject({
      code: 'DOCKER_UNREACHABLE',
      message: expect.stringContaining(
        'no Docker engine answers at ssh://ml@gpu-box:2222 (ssh: Host key verification failed.)',
      ) as string,
    });
  });
});
