import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { changedNames, environmentDigests } from '../../../client/stack/worker-environment';

const project = mkdtempSync(path.join(tmpdir(), 'environment-'));
afterAll(() => rmSync(project, { recursive: true, force: true }));

/** Names that make a worker start again when its environment becomes another one. */
function changed(before: Record<string, string>, now: Record<string, string>): string[] {
  const state = path.join(project, '.retrain');
  const [one, other] = [before, now].map((env) => environmentDigests(project, state, env));
  const names = changedNames(one!.byName, other!.byName);
  expect(one!.whole === other!.whole).toBe(names.length === 0);
  return names;
}

test('what a worker reads counts', () => {
  expect(
    changed({ S3_ENDPOINT_URL: 'a', LOG_LEVEL: 'info' }, { S3_ENDPOINT_URL: 'b', LOG_LEVEL: 'info' }),
  ).toEqual(['S3_ENDPOINT_URL']);
  expect(changed({}, { RETRAIN_WEBHOOK_SECRET: 'tr0ub4dor' })).toEqual(['RETRAIN_WEBHOOK_SECRET']);
});

test('ports of the stack, and what `make` sets, do not', () => {
  const fromMake = { RETRAIN_MLFLOW_PORT: '5001', RETRAIN_API_PORT: '8001', DOCKER_BUILDKIT: '1', HOME: '/' };
  expect(changed(fromMake, { HOME: '/root' })).toEqual([]);
});

test('all of the project’s .env counts', () => {
  writeFileSync(path.join(project, '.env'), 'OUR_OWN=1\n');
  expect(changed({ OUR_OWN: '1' }, { OUR_OWN: '2' })).toEqual(['OUR_OWN']);
});

test('a variable that containers may ask for counts, whatever its name', () => {
  const allowed = { RETRAIN_DOCKER_ENV: 'ORDERS_DSN, SHOP_*' };
  const before = { ...allowed, ORDERS_DSN: 'a', SHOP_KEY: 'a', SHOPPING: 'a' };
  expect(changed(before, { ...allowed, ORDERS_DSN: 'b', SHOP_KEY: 'b', SHOPPING: 'b' })).toEqual([
    'ORDERS_DSN',
    'SHOP_KEY',
  ]);
});

test('a key of a source counts, whatever its name', () => {
  const named = { RETRAIN_COLLECT_ENV: 'PRICES_API_KEY@api.example.com' };
  expect(changed({ ...named, PRICES_API_KEY: 'a' }, { ...named, PRICES_API_KEY: 'b' })).toEqual([
    'PRICES_API_KEY',
  ]);
});
