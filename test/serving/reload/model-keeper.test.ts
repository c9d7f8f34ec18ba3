import { RetrainError } from '../../../contracts/errors';
import { LiveModel } from '../../../serving/reload/live-model';
import { ModelKeeper, type KeeperOptions } from '../../../serving/reload/model-keeper';
import { type Loaded, type NamedVersion, type SlotSource } from '../../../serving/reload/slot';
import { FACTS, SmallModel } from '../small-model';

/** A registry that does what a test says. */
class FakeRegistry implements SlotSource {
  version: string | null = null;
  away = false;
  copy: string | null = null;
  bad = new Map<string, RetrainError>();
  loads: string[] = [];
  readonly models = new Map<string, SmallModel>();

  async find(): Promise<NamedVersion | null> {
    if (this.away) throw new RetrainError('MLFLOW_UNREACHABLE', 'MLflow does not answer');
    return this.version === null ? null : { version: this.version, key: `${this.version} run` };
  }

  async load(): Promise<Loaded> {
    const version = this.away ? this.copy : this.version;
    if (version === null)
      throw new RetrainError('MLFLOW_UNREACHABLE', 'MLflow does not answer; there is no copy');
    this.loads.push(version);
    const bad = this.bad.get(version);
    if (bad !== undefined) throw bad;
    const model = new SmallModel();
    this.models.set(version, model);
    this.copy = version;
    return { live: new LiveModel({ ...FACTS, version }, model), key: `${version} run`, fresh: !this.away };
  }
}

const events: string[] = [];
const open: ModelKeeper[] = [];
afterEach(async () => {
  events.length = 0;
  for (const keeper of open.splice(0)) await keeper.close();
});

function keep(registry: SlotSource, options: Partial<KeeperOptions> = {}): ModelKeeper {
  const keeper = new ModelKeeper({
    ...{ model: 'sizes', source: () => registry, canary: null, shadow: null, pollMs: 60_000 },
    onEvent: (event) => events.push(event),
    ...options,
  });
  open.push(keeper);
  return keeper;
}

it('takes the version that the alias names, and the next one in its place', async () => {
  const registry = new FakeRegistry();
  registry.version = '1';
  const keeper = keep(registry);
  expect(keeper.status()).toMatchObject({ state: 'starting' });
  await keeper.start();
  expect(keeper.production()?.facts.version).toBe('1');
  registry.version = '2';
  expect(await keeper.reload()).toMatchObject({ state: 'ok', why: null, reloads: 2 });
  expect(keeper.production()?.facts.version).toBe('2');
  expect(registry.models.get('1')?.closed).toBe(1);
  await keeper.reload();
  expect(registry.loads).toEqual(['1', '2']);
});

it('keeps a replaced model open until its last request is answered', async () => {
  const registry = new FakeRegistry();
  registry.version = '1';
  const keeper = keep(registry);
  await keeper.start();
  const asked = keeper.choose('me')?.live.take();
  registry.version = '2';
  await keeper.reload();
  expect(registry.models.get('1')?.closed).toBe(0);
  asked?.release();
  expect(registry.models.get('1')?.closed).toBe(1);
});

it('does not try a version again that it has refused, unless it is asked to', async () => {
  const registry = new FakeRegistry();
  registry.version = '1';
  const keeper = keep(registry, { pollMs: 5 });
  await keeper.start();
  registry.bad.set('2', new RetrainError('VERIFICATION_FAILED', 'model.onnx is not the one that was signed'));
  registry.version = '2';
  while (keeper.status().state === 'ok') await new Promise((resolve) => setTimeout(resolve, 2));
  const checkedAt = keeper.status().lastCheckAt;
  while (keeper.status().lastCheckAt === checkedAt) await new Promise((resolve) => setTimeout(resolve, 2));
  expect(registry.loads).toEqual(['1', '2']);
  expect(events).toEqual(['swapped', 'refused']);
  expect(keeper.production()?.facts.version).toBe('1');
  expect(keeper.status()).toMatchObject({
    state: 'degraded',
    why: 'version 2 was refused: model.onnx is not the one that was signed; version 1 stays in service; put another version into production',
    refused: [{ version: '2' }],
  });
  registry.bad.clear();
  expect(await keeper.reload()).toMatchObject({ state: 'ok', refused: [] });
  expect(keeper.production()?.facts.version).toBe('2');
});

it('goes on while the registry is away, and starts from its copy', async () => {
  const registry = new FakeRegistry();
  registry.version = '1';
  const keeper = keep(registry);
  await keeper.start();
  registry.away = true;
  expect(await keeper.reload()).toMatchObject({
    state: 'degraded',
    mlflow: { reachable: false },
    why: expect.stringContaining('version 1 stays in service') as string,
  });
  expect(keeper.production()?.facts.version).toBe('1');
  const again = keep(registry);
  await again.start();
  expect(again.production()?.facts.version).toBe('1');
  registry.away = false;
  expect(await again.reload()).toMatchObject({ state: 'ok', mlflow: { reachable: true }, reloads: 1 });
});

it('waits, and says what to do, while there is nothing to serve', async () => {
  const registry = new FakeRegistry();
  const keeper = keep(registry);
  await keeper.start();
  expect(keeper.choose('me')).toBeNull();
  expect(keeper.status()).toMatchObject({
    state: 'waiting',
    why: expect.stringContaining('retrain promote sizes@VERSION') as string,
  });
});

it('stops serving a version whose alias was taken away, when it is still away at the second look', async () => {
  const registry = new FakeRegistry();
  registry.version = '1';
  const keeper = keep(registry);
  await keeper.start();
  registry.version = null;
  await keeper.reload();
  expect(keeper.production()?.facts.version).toBe('1');
  await keeper.reload();
  expect(keeper.production()).toBeNull();
  expect(registry.models.get('1')?.closed).toBe(1);
});

it('gives the canary its share, and the same side to the same key', async () => {
  const [production, canary] = [new FakeRegistry(), new FakeRegistry()];
  production.version = '1';
  canary.version = '2';
  const keeper = keep(production, {
    source: (alias) => (alias === 'staging' ? canary : production),
    canary: { alias: 'staging', percent: 20 },
  });
  await keeper.start();
  const sides = Array.from({ length: 2000 }, (_, i) => keeper.choose(`customer ${i}`)?.role);
  const share = sides.filter((role) => role === 'canary').length / sides.length;
  expect(share).toBeGreaterThan(0.16);
  expect(share).toBeLessThan(0.24);
  expect(Array.from({ length: 2000 }, (_, i) => keeper.choose(`customer ${i}`)?.role)).toEqual(sides);
  canary.version = '1';
  await keeper.reload();
  expect(keeper.choose('customer 1')?.role).toBe('production');
});
