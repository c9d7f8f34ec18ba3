import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../client/stack/ports';

jest.setTimeout(120_000);

const ROOT = path.join(__dirname, '..', '..');

/** A project whose command is a server that says what its source says; the script and the compiler are the real ones. */
describe('make api-dev', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'api-dev-'));
  const main = path.join(folder, 'client', 'main.ts');
  let port: number;
  let child: ChildProcess;
  let said = '';

  const write = (answer: string): void =>
    writeFileSync(
      main,
      `import { createServer } from 'node:http';
       const server = createServer((_, reply) => void reply.end(${answer}));
       server.listen(Number(process.argv[3]), '127.0.0.1');
       process.once('SIGTERM', () => server.close(() => process.exit(0)));\n`,
    );
  const heard = async (text: string): Promise<void> => {
    for (;;) {
      const answer = await fetch(`http://127.0.0.1:${port}/`)
        .then((response) => response.text())
        .catch(() => '');
      if (answer === text) return;
      if (child.exitCode !== null) throw new Error(said);
      await sleep(50);
    }
  };

  beforeAll(async () => {
    port = await freePort();
    for (const name of ['client', 'scripts']) mkdirSync(path.join(folder, name));
    copyFileSync(path.join(ROOT, 'scripts', 'api-dev.mjs'), path.join(folder, 'scripts', 'api-dev.mjs'));
    symlinkSync(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'));
    writeFileSync(
      path.join(folder, 'tsconfig.build.json'),
      JSON.stringify({
        compilerOptions: {
          ...{ outDir: 'dist', rootDir: '.', module: 'commonjs', target: 'es2022', types: ['node'] },
          ...{ strict: true, skipLibCheck: true },
          ignoreDeprecations: '6.0',
        },
        include: ['client/**/*.ts'],
      }),
    );
    write(`'first'`);
    child = spawn(process.execPath, [path.join(folder, 'scripts', 'api-dev.mjs'), String(port)]);
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  });
  afterAll(() => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  });

  test('serves, and serves again with what was changed; what does not compile changes nothing', async () => {
    await heard('first');
    write(`'second'`);
    await heard('second');
    write(`unknownName`);
    while (!said.includes('error TS2304')) await sleep(50);
    await heard('second');
    write(`'third'`);
    await heard('third');
  });

  test('ends with all that it started', async () => {
    child.kill('SIGTERM');
    await once(child, 'exit');
    await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow();
  });
});
