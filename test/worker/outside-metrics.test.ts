import { Registry } from 'prom-client';
import { type ModelVersion } from '../../integrations/mlflow/registry-record';
import { ChampionGauges } from '../../worker/telemetry/champion-gauges';
import { readChampions, type Champions } from '../../worker/telemetry/champions';
import { MlflowOutage } from '../../worker/telemetry/mlflow-outage';
import { WatchFigures } from '../../worker/telemetry/watch-figures';
import { samplesIn, sumOf, type Sample } from '../integration/monitoring/samples';

const seenBy = async (registry: Registry): Promise<Sample[]> => samplesIn(await registry.metrics());

const version = (name: string, tags: Record<string, string> = {}): ModelVersion => ({
  ...{
    name,
    version: '3',
    createdAt: Date.parse('2026-03-01T00:00:00Z'),
    stage: 'None',
    source: '',
    runId: 'r',
  },
  ...{ tags, aliases: ['production'] },
});

const registryOf = (
  versions: Record<string, ModelVersion | null>,
): Parameters<typeof readChampions>[0] & { looks: number } => ({
  looks: 0,
  listModels: () => Promise.resolve(Object.keys(versions)),
  findByAlias(name) {
    this.looks++;
    return Promise.resolve(versions[name] ?? null);
  },
});

describe('champions of the registry', () => {
  const promoted = { promoted_at: '2026-03-01T00:10:00.000Z' };

  test('are those that the alias points to, with when they were made and promoted', async () => {
    const seen = await readChampions(registryOf({ iris: version('iris', promoted), none: null }));
    expect(seen).toEqual({
      champions: [
        {
          ...{ model: 'iris', version: '3', alarms: {} },
          madeAt: Date.parse('2026-03-01T00:00:00Z'),
          promotedAt: Date.parse('2026-03-01T00:10:00Z'),
        },
      ],
      leftOut: 0,
    });
  });

  test('have no time of promotion when the tag is of an earlier one, or no date', async () => {
    const replaced = { ...promoted, replaced_by: '4' };
    for (const tags of [replaced, {}, { promoted_at: 'yesterday' }]) {
      const { champions } = await readChampions(registryOf({ iris: version('iris', tags) }));
      expect(champions[0]?.promotedAt).toBeNull();
    }
  });

  test('have the alarms that their tag tells, and none when it tells nonsense', async () => {
    const open = [
      { cause: { key: 'drift:age:distribution' }, since: '2026-03-05T00:00:00Z' },
      { cause: { key: 'drift:joint' }, since: '2026-03-04T00:00:00Z' },
      { cause: { key: 'accuracy:live' }, since: '2026-03-06T00:00:00Z' },
      { cause: { key: 'made-up' }, since: '2026-03-06T00:00:00Z' },
      { cause: null, since: 7 },
      { cause: { key: 7 }, since: '2026-03-01T00:00:00Z' },
      { cause: { key: 'drift:joint' }, since: 7 },
      null,
    ];
    const tags = { alarm_state: JSON.stringify({ open }) };
    const { champions } = await readChampions(registryOf({ iris: version('iris', tags) }));
    expect(champions[0]?.alarms).toEqual({
      drift: { open: 2, since: Date.parse('2026-03-04T00:00:00Z') },
      'accuracy:live': { open: 1, since: Date.parse('2026-03-06T00:00:00Z') },
    });
    for (const text of ['', '{', '[]', '{"open": 7}', 'null']) {
      const seen = await readChampions(registryOf({ iris: version('iris', { alarm_state: text }) }));
      expect(seen.champions[0]?.alarms).toEqual({});
    }
  });

  test('are looked up for 100 models, and the rest is counted', async () => {
    const names = Array.from({ length: 130 }, (_, at) => `model-${at}`);
    const registry = registryOf(Object.fromEntries(names.map((name) => [name, version(name)])));
    expect(await readChampions(registry)).toMatchObject({ leftOut: 30 });
    expect(registry.looks).toBe(100);
  });
});

describe('gauges of champions', () => {
  const champion = (model: string): Champions['champions'][number] => ({
    ...{ model, version: '3', madeAt: 1000_000, promotedAt: 1600_000 },
    alarms: { drift: { open: 2, since: 5000_000 } },
  });

  test('are asked for by a scrape, once a minute at most, and less often where MLflow is slow', async () => {
    const registry = new Registry();
    let now = 0;
    let looks = 0;
    const gauges = new ChampionGauges({
      registry,
      look: () => {
        looks++;
        now += looks === 2 ? 5000 : 10;
        return Promise.resolve({ champions: [champion(`model-${looks}`)], leftOut: 0 });
      },
      onLook: () => undefined,
      now: () => now,
    });
    expect(looks).toBe(0);
    for (const [at, expected] of [
      [0, 1],
      [59_000, 1],
      [61_000, 2],
      [300_000, 2],
      [320_000, 3],
    ] as const) {
      now = at;
      await gauges.refresh();
      expect(looks).toBe(expected);
    }
    const seen = await seenBy(registry);
    expect(seen.filter(({ name }) => name === 'retrain_champion_info')).toEqual([
      { name: 'retrain_champion_info', labels: { model: 'model-3', version: '3' }, value: 1 },
    ]);
    expect(sumOf(seen, 'retrain_champion_promotion_lag_seconds')).toBe(600);
    expect(sumOf(seen, 'retrain_alarms_open', { kind: 'drift' })).toBe(2);
    expect(sumOf(seen, 'retrain_alarm_raised_timestamp_seconds', { kind: 'drift' })).toBe(5000);
  });

  test('show what there was while MLflow is away', async () => {
    const registry = new Registry();
    const told: unknown[] = [];
    let now = 0;
    let isAway = false;
    const gauges = new ChampionGauges({
      registry,
      look: () =>
        isAway
          ? Promise.reject(new Error('away'))
          : Promise.resolve({ champions: [champion('iris')], leftOut: 0 }),
      onLook: (error) => told.push(error),
      now: () => now,
    });
    await gauges.refresh();
    isAway = true;
    now = 100_000;
    await gauges.refresh();
    expect(sumOf(await seenBy(registry), 'retrain_champion_info')).toBe(1);
    expect(told).toEqual([null, new Error('away')]);
  });
});

test('MLflow that is away is told of once, and once when it is back', async () => {
  const registry = new Registry();
  const lines: string[] = [];
  let probes = 0;
  let told: () => void = () => undefined;
  const back = new Promise<void>((resolve) => (told = resolve));
  const outage = new MlflowOutage({
    registry,
    logger: {
      warn: (message) => void lines.push(message),
      info: (message) => {
        lines.push(message);
        told();
      },
    },
    probe: () => (++probes < 3 ? Promise.reject(new Error('away')) : Promise.resolve()),
    againMs: 1,
  });
  expect(sumOf(await seenBy(registry), 'retrain_mlflow_up')).toBe(1);
  for (let activity = 0; activity < 5; activity++) outage.away('no MLflow server answers');
  expect(sumOf(await seenBy(registry), 'retrain_mlflow_up')).toBe(0);
  await back;
  expect(lines).toEqual(['MLflow does not answer', 'MLflow answers again']);
  expect(sumOf(await seenBy(registry), 'retrain_mlflow_up')).toBe(1);
  outage.close();
});

describe('figures of checks', () => {
  test('are those of the latest check, bounded in number, and numbers', async () => {
    const registry = new Registry();
    const figures = new WatchFigures(registry);
    const many = Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`psi.column-${at}`, at]));
    figures.show('iris', many, 5000);
    figures.show('iris', { 'psi.age': 0.4, odd: Number.NaN, text: 'x' }, 9000);
    for (let at = 0; at < 60; at++) figures.show(`model-${at}`, many);
    const seen = await seenBy(registry);
    expect(seen.filter(({ name }) => name === 'retrain_watch_figure')).toHaveLength(50 * 200);
    expect(seen.filter(({ labels }) => labels['model'] === 'iris')).toEqual([]);
    figures.show('iris', { 'psi.age': 0.4, odd: Number.NaN, text: 'x' }, 9000);
    expect((await seenBy(registry)).filter(({ labels }) => labels['model'] === 'iris')).toEqual([
      { name: 'retrain_watch_figure', labels: { model: 'iris', figure: 'psi.age' }, value: 0.4 },
      { name: 'retrain_watch_checked_timestamp_seconds', labels: { model: 'iris' }, value: 9 },
    ]);
  });
});
