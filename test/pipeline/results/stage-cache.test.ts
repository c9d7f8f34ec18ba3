import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ContentStore } from '../../../integrations/dvc/content-store';
import { StageCache, stageKey, type StageIdentity } from '../../../pipeline/results/stage-cache';
import { FolderStorage } from '../../../integrations/objectstore/folder-storage';

let dir: string;
let store: ContentStore;
let cache: StageCache;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'stages-'));
  store = new ContentStore(join(dir, 'cache'));
  cache = new StageCache(store);
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const identity = (change: Partial<StageIdentity> = {}): StageIdentity => ({
  stage: 'train',
  params: { n_estimators: 100, seed: 42 },
  code: 'c'.repeat(64),
  inputs: { 'train.csv': { sha256: '1'.repeat(64) }, 'schema.json': { sha256: '2'.repeat(64) } },
  outputs: ['model.onnx'],
  ...change,
});
const result = async () => ({
  outputs: [await store.putBytes('a model', 'model.onnx')],
  metrics: { trees: 100 },
  durationMs: 12,
});

test('a result is found by the same stage, params, code and inputs', async () => {
  const saved = await result();
  expect(await cache.find(stageKey(identity()))).toBeNull();
  await cache.save(identity(), saved);
  expect(await cache.find(stageKey(identity({ params: { seed: 42, n_estimators: 100 } })))).toEqual(saved);
});

test.each<[string, Partial<StageIdentity>]>([
  ['stage', { stage: 'evaluate' }],
  ['param', { params: { n_estimators: 200, seed: 42 } }],
  ['code', { code: 'd'.repeat(64) }],
  ['input', { inputs: { ...identity().inputs, 'train.csv': { sha256: '3'.repeat(64) } } }],
  [
    'name of an input',
    { inputs: { 'schema.json': { sha256: '1'.repeat(64) }, 'train.csv': { sha256: '2'.repeat(64) } } },
  ],
  ['output', { outputs: ['model.onnx', 'more'] }],
])('another %s is another key', (_what, change) => {
  expect(stageKey(identity(change))).not.toBe(stageKey(identity()));
});

test('an entry whose outputs are gone, or that is unreadable, is a miss', async () => {
  const saved = await result();
  await cache.save(identity(), saved);
  const key = stageKey(identity());
  rmSync(store.pathOf(saved.outputs[0]!.md5));
  expect(await cache.find(key)).toBeNull();
  await store.putBytes('a model', 'model.onnx');
  expect(await cache.find(key)).toEqual(saved);
  writeFileSync(join(store.cacheDir, 'retrain/stages', key.slice(0, 2), `${key}.json`), '{"version":1');
  expect(await cache.find(key)).toBeNull();
  await cache.save(identity(), saved);
  expect(await cache.find(key)).toEqual(saved);
});

test('another machine gets the result and its files through the remote', async () => {
  const saved = await result();
  await cache.save(identity(), saved);
  const remote = new FolderStorage(join(dir, 'remote'));
  const key = stageKey(identity());
  const elsewhere = new ContentStore(join(dir, 'elsewhere'));
  const other = new StageCache(elsewhere);
  expect(await other.fetch(key, remote)).toBeNull();
  await cache.share(key, remote);
  expect(await other.fetch(key, remote)).toEqual(saved);
  expect(await other.find(key)).toEqual(saved);
  await elsewhere.verify(saved.outputs[0]!);
  await cache.share('f'.repeat(64), remote);
  expect(readdirSync(join(dir, 'remote/retrain/stages'))).toEqual([key.slice(0, 2)]);
});
