import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { LiveModel } from '../../serving/reload/live-model';
import { openApi, type OpenedApi } from '../serving/api/open-api';
import { FACTS, SmallModel } from '../serving/small-model';

const SCRIPT = path.resolve(__dirname, '..', '..', 'scripts', 'verify.sh');
const dir = mkdtempSync(path.join(tmpdir(), 'verify-'));

let api: OpenedApi;
let mlflow: Server;
let env: Record<string, string>;

beforeAll(async () => {
  // The script asks MLflow for nothing but its health.
  mlflow = createServer((_, answer) => answer.end('OK'));
  await new Promise<void>((resolve) => mlflow.listen(0, '127.0.0.1', resolve));
});
beforeEach(async () => {
  api = await openApi();
  await api.app.listen({ port: 0, host: '127.0.0.1' });
  const of = (server: { address(): unknown }): string =>
    `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  env = { MLFLOW_TRACKING_URI: of(mlflow), RETRAIN_API_URL: of(api.app.server) };
});
afterEach(() => api.app.close());
afterAll(() => {
  mlflow.close();
  rmSync(dir, { recursive: true });
});

function verify(...row: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = execFile(SCRIPT, row, { env: { ...process.env, ...env } }, (_, stdout, stderr) =>
      resolve({ code: child.exitCode, stdout, stderr }),
    );
  });
}

test('takes six steps, with the example of the model in production', async () => {
  const { code, stdout, stderr } = await verify();
  expect(stderr).toBe('');
  expect(stdout.split('\n').filter((line) => /^\d\/6 /.test(line))).toHaveLength(6);
  expect(stdout).toContain('sizes version 3, run f00d');
  expect(stdout).toMatch(/^ {2}big, by version 3$/m);
  expect(stdout).toMatch(/All is well\.\n$/);
  expect(code).toBe(0);
});

test('takes a row from a file, and says what is wrong with it', async () => {
  const row = path.join(dir, 'row.json');
  writeFileSync(row, '{"size": -4}');
  expect((await verify(row)).stdout).toContain('small, by version 3');
  writeFileSync(row, '{"size": "large"}');
  const { code, stderr } = await verify(row);
  expect(stderr).toMatch(/it answered 422: .*size.*"large".*\n {2}next: .*\/ui/s);
  expect(code).toBe(1);
});

test('says that there is no model in production, and what to do', async () => {
  api.models.live = null;
  api.models.now = {
    ...api.models.now,
    state: 'waiting',
    why: 'sizes has no version with the alias production',
  };
  const { code, stderr } = await verify();
  expect(stderr).toContain('it answered 503: sizes has no version with the alias production');
  expect(code).toBe(1);
});

test('takes a version of another stage for none', async () => {
  api.models.live = new LiveModel({ ...FACTS, stage: 'Staging' }, new SmallModel());
  expect((await verify()).stderr).toContain('its stage is Staging, expected Production');
});

test('says who does not answer', async () => {
  env['RETRAIN_API_URL'] = 'http://127.0.0.1:9';
  expect((await verify()).stderr).toMatch(/nobody answers\n {2}next: start it/);
  env['MLFLOW_TRACKING_URI'] = 'http://127.0.0.1:9';
  expect((await verify()).stderr).toContain('it answered 000');
});
