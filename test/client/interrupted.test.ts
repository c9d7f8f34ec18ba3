import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { type AddressInfo } from 'node:net';
import { CLI, Workbench } from './workbench';

jest.setTimeout(60_000);

let bench: Workbench;
beforeAll(() => (bench = new Workbench()));
afterAll(() => bench.remove());

/** What a shell's `$?` is after a process: 128 and the number of the signal that ended it. */
const SIGINT_CODE = 128 + 2;

describe('Ctrl-C while a server does not answer', () => {
  let silent: Server;
  let asked: Promise<unknown>;
  beforeEach(async () => {
    silent = createServer((socket) => socket.on('error', () => undefined));
    asked = once(silent, 'connection');
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
  });
  afterEach(() => silent.close());

  test.each([['list'], ['show'], ['plan'], ['validate'], ['start', '--wait'], ['list', '--json']])(
    'retrain %s %s ends with 130 and says nothing',
    async (...args) => {
      const { port } = silent.address() as AddressInfo;
      const child = spawn(process.execPath, [CLI, ...args.filter((one) => typeof one === 'string')], {
        cwd: bench.dir,
        env: {
          ...process.env,
          MLFLOW_TRACKING_URI: `http://127.0.0.1:${port}`,
          TEMPORAL_ADDRESS: `127.0.0.1:${port}`,
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let said = '';
      for (const stream of [child.stdout, child.stderr]) {
        stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
      }
      await asked;
      child.kill('SIGINT');
      const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
      expect({ code: signal === 'SIGINT' ? SIGINT_CODE : code, said }).toEqual({ code: 130, said: '' });
    },
  );
});

describe('a reader that has seen enough', () => {
  /** Runs `retrain … | reader` in a shell. */
  const piped = (args: string, reader: string): Promise<{ stderr: string; code: string }> =>
    new Promise((resolve, reject) => {
      const script = `"$0" "$1" ${args} | ${reader} >/dev/null; echo "\${PIPESTATUS[0]}"`;
      execFile(
        'bash',
        ['-c', script, process.execPath, CLI],
        { cwd: bench.dir, env: { ...process.env, NO_COLOR: '1', MLFLOW_TRACKING_URI: 'http://127.0.0.1:1' } },
        (error, stdout, stderr) =>
          error === null
            ? resolve({ stderr, code: stdout.trim() })
            : reject(new Error(stderr, { cause: error })),
      );
    });
  const TRACE = /EPIPE|^\s+at |node:|Unhandled/m;

  test.each([
    ['--help', 'head -1'],
    ['--help', 'true'],
    ['doctor', 'head -1'],
    ['doctor --json', 'true'],
    ['stage preprocess', 'head -1'],
    ['stage preprocess --json', 'true'],
  ])('retrain %s | %s ends without a trace', async (args, reader) => {
    const { stderr, code } = await piped(args, reader);
    expect(stderr).not.toMatch(TRACE);
    // Doctor may miss a part here; nothing else goes wrong.
    expect(args.startsWith('doctor') ? '0' : code).toBe('0');
  });

  test.each(['list --json', 'stage nothing', 'data status'])(
    'retrain %s fails, with its errors piped away, too, without a trace',
    async (args) => {
      expect((await piped(args, 'true')).stderr).not.toMatch(TRACE);
      // Where even stderr is gone, the exit code still tells.
      expect(Number((await piped(`${args} 2>&1`, 'true')).code)).toBeGreaterThan(0);
    },
  );
});
