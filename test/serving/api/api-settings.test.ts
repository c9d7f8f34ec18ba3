import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { apiSettings } from '../../../serving/api/api-settings';
import { DEFAULT_API } from '../../../serving/api/settings';
import { openApi } from './open-api';

const dir = mkdtempSync(path.join(tmpdir(), 'api-settings-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test('are the defaults where nothing is said, and empty variables say nothing', () => {
  expect(apiSettings(dir, {})).toEqual(DEFAULT_API);
  expect(
    apiSettings(dir, {
      RETRAIN_API_PORT: '',
      RETRAIN_API_HOST: '',
      RETRAIN_API_KEYS: '',
      RETRAIN_API_RATE_LIMIT: '',
    }),
  ).toEqual(DEFAULT_API);
});

test('come from variables, and flags win', () => {
  writeFileSync(path.join(dir, 'keys'), '# who may\nann:0123456789abcdef\n\nfedcba9876543210\n');
  const env = {
    RETRAIN_API_PORT: '9000',
    RETRAIN_API_HOST: '0.0.0.0',
    RETRAIN_API_KEYS_FILE: 'keys',
    RETRAIN_API_ALLOWED_HOSTS: 'a.example, b.example',
    RETRAIN_API_RATE_LIMIT: '5',
  };
  expect(apiSettings(dir, env, { port: '9001' })).toMatchObject({
    ...{ port: 9001, host: '0.0.0.0', allowedHosts: ['a.example', 'b.example'], rateLimit: 5 },
    keys: [
      { name: 'ann', key: '0123456789abcdef' },
      { name: 'key 2', key: 'fedcba9876543210' },
    ],
  });
});

test.each([
  [{ RETRAIN_API_PORT: 'http' }, 'RETRAIN_API_PORT must be a port from 0 to 65535, got http'],
  [{ RETRAIN_API_MAX_ROWS: '0' }, 'RETRAIN_API_MAX_ROWS must be a whole number from 1 to 1000000, got 0'],
  [{ RETRAIN_API_KEYS: 'ann:short' }, 'the API key ann has 5 characters, expected at least 16'],
  [{ RETRAIN_API_KEYS_FILE: 'gone' }, 'RETRAIN_API_KEYS_FILE names gone, which cannot be read'],
  [{ RETRAIN_API_TLS_CERT: 'cert.pem' }, 'RETRAIN_API_TLS_CERT and RETRAIN_API_TLS_KEY belong together'],
])('refuse %j by name', (env, words) => {
  expect(() => apiSettings(dir, env)).toThrow(words);
});

test('a certificate and its key make it speak TLS', async () => {
  const [cert, key] = [path.join(dir, 'cert.pem'), path.join(dir, 'key.pem')];
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-days',
      '1',
      '-subj',
      '/CN=localhost',
      '-addext',
      'subjectAltName=DNS:localhost',
      '-keyout',
      key,
      '-out',
      cert,
    ],
    { stdio: 'ignore' },
  );
  const { tls } = apiSettings(dir, { RETRAIN_API_TLS_CERT: 'cert.pem', RETRAIN_API_TLS_KEY: 'key.pem' });
  const { app } = await openApi({ tls });
  try {
    await app.listen({ port: 0, host: '127.0.0.1' });
    const { port } = app.server.address() as AddressInfo;
    const status = await new Promise<number | undefined>((resolve, reject) => {
      get(
        {
          host: '127.0.0.1',
          servername: 'localhost',
          port,
          path: '/live',
          ca: readFileSync(cert),
          headers: { host: 'localhost' },
        },
        (response) => {
          response.resume();
          resolve(response.statusCode);
        },
      ).once('error', reject);
    });
    expect(status).toBe(200);
  } finally {
    await app.close();
  }
});
