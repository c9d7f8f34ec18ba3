import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { type Params } from '../../contracts/params';
import { parseParams } from '../../contracts/parse-params';
import { type Backtest, Evaluation, TrainingNotes } from '../../contracts/stage';
import { readParquet } from '../../ml/dataset/parquet/read-parquet';
import { useStages } from './stage-bench';
import { type StageFolder } from './stage-folder';

const EXAMPLE = join(__dirname, '../../examples/card-prices');

interface Price {
  date: string;
  card_id: string;
  price: number;
  on_promotion: boolean;
  listings: number;
}

const stages = useStages();
const scratch = mkdtempSync(join(tmpdir(), 'cards-'));

afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** A folder of daily files. */
function generated(name: string, ...options: string[]): string {
  const out = join(scratch, name);
  execFileSync(process.execPath, [join(EXAMPLE, 'generate.mjs'), '--out', out, ...options]);
  return out;
}

const params = (file = 'params.yaml'): Params =>
  parseParams(parse(readFileSync(join(EXAMPLE, file), 'utf8')), file);

const pricesIn = (folder: string): Price[] =>
  readdirSync(folder)
    .sort()
    .flatMap((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as Price[]);

/** The same files with every price of a day after this one changed. */
function withOtherFuture(folder: string, lastDay: string): string {
  const out = mkdtempSync(join(scratch, 'future-'));
  for (const file of readdirSync(folder)) {
    const changed = (JSON.parse(readFileSync(join(folder, file), 'utf8')) as Price[]).map((row) =>
      row.date <= lastDay
        ? row
        : {
            ...row,
            price: Number((row.price * 1.7 + 1).toFixed(2)),
            on_promotion: !row.on_promotion,
            listings: row.listings + 13,
          },
    );
    writeFileSync(join(out, file), JSON.stringify(changed));
  }
  return out;
}

async function preprocessed(
  data: string,
  change: (params: Params) => Pick<Params, 'data' | 'preprocess'> = (same) => same,
): Promise<StageFolder> {
  const { task, expect: expected, ...rest } = params();
  const { data: source, preprocess } = change({ ...rest, task, expect: expected });
  const made = stages.folder({ data: source, expect: { ...expected, rows_min: 0 }, preprocess, task });
  execFileSync('cp', ['-r', data, join(made.dir, 'in', 'data')]);
  await stages.run('preprocess', made);
  return made;
}

const tableOf = (file: string): Map<string, ArrayLike<unknown>> =>
  new Map(readParquet(file).map(({ name, values }) => [name, values]));

describe('the generator', () => {
  it('makes the same bytes for the same seed, and a shift changes nothing before its day', () => {
    const [one, two, shifted] = [
      generated('one', '--days', '40'),
      generated('two', '--days', '40'),
      generated('shifted', '--days', '40', '--shift', '30:level=1.3', '--shift', '35:promotions=4'),
    ].map(pricesIn);
    expect(two).toEqual(one);
    const isBefore = ({ date }: Price): boolean => date < '2026-01-31';
    expect(shifted?.filter(isBefore)).toEqual(one?.filter(isBefore));
    const level = (rows: Price[] = [], from = ''): number => {
      const chosen = rows.filter(({ date, on_promotion }) => date >= from && !on_promotion);
      return chosen.reduce((sum, { price }) => sum + Math.log(price), 0) / chosen.length;
    };
    expect(level(shifted, '2026-02-01') - level(one, '2026-02-01')).toBeCloseTo(Math.log(1.3), 1);
    const share = (rows: Price[] = []): number => {
      const last = rows.filter(({ date }) => date === '2026-02-09');
      return last.filter((row) => row.on_promotion).length / last.length;
    };
    expect(share(shifted)).toBeGreaterThan(2 * share(one));
  });

  it('has cards that are missing, days that are missing, and a card that is taken off the market', () => {
    const rows = pricesIn(generated('whole'));
    const days = new Set(rows.map(({ date }) => date));
    expect(days.size).toBe(177);
    expect(days.has('2026-02-03')).toBe(false);
    const last = rows.filter(({ card_id }) => card_id === 'sv2a-097').map(({ date }) => date);
    expect(last.at(-1)?.slice(0, 7)).toBe('2026-04');
    expect(rows.length).toBeLessThan(151 * 177);
    expect(new Set(rows.map(({ card_id }) => card_id)).size).toBe(151);
  });

  it('says what is wrong with a shift', () => {
    const call = (): unknown =>
      execFileSync(process.execPath, [join(EXAMPLE, 'generate.mjs'), '--shift', 'x:level=2'], {
        stdio: 'pipe',
      });
    expect(call).toThrow('--shift takes DAY:NAME=FACTOR');
  });
});

describe('the features', () => {
  it('are those that pandas computes', async () => {
    const data = generated('forty-five', '--days', '45');
    const golden = JSON.parse(
      readFileSync(join(__dirname, '../fixtures/card-prices/features.json'), 'utf8'),
    ) as Record<string, string | number | null>[];
    const made = await preprocessed(data, ({ preprocess, ...rest }) => ({
      ...rest,
      preprocess: {
        ...preprocess,
        gap: 0,
        filter: `next_price IS NOT NULL AND day >= '2026-01-31' AND card_id IN ('sv2a-001', 'sv2a-080', 'sv2a-151')`,
      },
    }));
    const parts = ['train.parquet', 'test.parquet'].map((name) => tableOf(made.out(name)));
    const joined = (name: string): unknown[] => parts.flatMap((part) => Array.from(part.get(name) ?? []));
    const sorted = [...golden].sort(
      (a, b) =>
        String(a['day']).localeCompare(String(b['day'])) ||
        (String(a['card_id']) < String(b['card_id']) ? -1 : 1),
    );
    expect(joined('price')).toHaveLength(golden.length);
    for (const name of Object.keys(golden[0] ?? {}).filter((one) => !['day', 'card_id'].includes(one))) {
      const seen = joined(name).map((value) => (Number.isNaN(value) ? null : value));
      for (const [row, expected] of sorted.entries()) {
        const value = expected[name] ?? null;
        if (value === null) expect([name, row, seen[row]]).toEqual([name, row, null]);
        else
          expect(Math.abs(Number(seen[row]) - Number(value))).toBeLessThan(1e-6 * Math.max(1, Number(value)));
      }
    }
  });

  it('know nothing of the days after theirs: whatever the future, they stay as they are', async () => {
    const data = generated('future', '--days', '60');
    const known = tableOf((await preprocessed(data)).out('train.parquet'));
    for (const lastDay of ['2026-01-20', '2026-02-02', '2026-02-10']) {
      const other = tableOf((await preprocessed(withOtherFuture(data, lastDay))).out('train.parquet'));
      const rows = rowsUntil(data, lastDay);
      expect(rows).toBeGreaterThan(2000);
      for (const [name, values] of known) {
        // The target is tomorrow's price: it may change on the last of these days, and no earlier.
        const same = name === 'next_price' ? rowsUntil(data, dayBefore(lastDay)) : rows;
        expect([name, Array.from(other.get(name) ?? []).slice(0, same)]).toEqual([
          name,
          Array.from(values).slice(0, same),
        ]);
      }
      // The test has teeth: what comes after did change.
      expect(Array.from(other.get('price') ?? []).slice(rows)).not.toEqual(
        Array.from(known.get('price') ?? []).slice(rows),
      );
    }
  });

  it('and no training row knows a price of the time that is held out', async () => {
    const data = generated('horizon', '--days', '50');
    const bytes = async (folder: string, gap: number): Promise<{ train: Buffer; firstDay: string }> => {
      const made = await preprocessed(folder, ({ preprocess, ...rest }) => ({
        ...rest,
        preprocess: { ...preprocess, gap },
      }));
      const keys = tableOf(made.out('test-keys.parquet'));
      const firstDay = Array.from(keys.get('day') ?? [])
        .map(String)
        .sort()[0];
      return { train: readFileSync(made.out('train.parquet')), firstDay: String(firstDay).slice(0, 10) };
    };
    const before = await bytes(data, 1);
    const changed = withOtherFuture(data, dayBefore(before.firstDay));
    expect((await bytes(changed, 1)).train.equals(before.train)).toBe(true);
    expect((await bytes(changed, 0)).train.equals((await bytes(data, 0)).train)).toBe(false);
  });
});

describe('the models', () => {
  const OTHERS = ['boosting.yaml', 'forest.yaml'];

  it('are of the same rows and features', () => {
    const { baseline: _, ...preprocess } = params('boosting.yaml').preprocess;
    expect(preprocess).toEqual(params().preprocess);
    for (const other of OTHERS) {
      expect(params(other)).toMatchObject({ data: params().data, expect: params().expect });
      expect(params(other).preprocess).toEqual(params('boosting.yaml').preprocess);
    }
  });

  it('are tried on the past as pandas tries them: the same cut-offs, rows and errors', async () => {
    const golden = JSON.parse(
      readFileSync(join(__dirname, '../fixtures/card-prices/backtest.json'), 'utf8'),
    ) as Record<string, string | number>[];
    const done = await preprocessed(generated('seventy', '--days', '70'));
    const { train, task } = params();
    const { notes, metrics } = await trained(done, {
      train: { ...train, backtest: { cutoffs: 3, window: 7 } },
      task,
    });
    const { cutoffs = [], gap } = notes.backtest ?? {};
    expect(gap).toBe(1);
    expect(cutoffs).toHaveLength(golden.length);
    for (const [k, cut] of cutoffs.entries()) {
      const { mae, rmse, mae_of_mean, ...counts } = golden[k] ?? {};
      expect(cut).toMatchObject(counts);
      expect(cut.metrics['mae']).toBeCloseTo(Number(mae), 6);
      expect(cut.metrics['rmse']).toBeCloseTo(Number(rmse), 6);
      expect(cut.baselines.map(({ algorithm }) => algorithm)).toEqual(['mean']);
      expect(cut.baselines[0]?.metrics['mae']).toBeCloseTo(Number(mae_of_mean), 5);
    }
    const mean = golden.reduce((sum, one) => sum + Number(one['mae']), 0) / golden.length;
    expect(metrics['backtest_mae']).toBeCloseTo(mean, 6);
  });

  it('of trees beat the moving average at every cut-off', async () => {
    const data = generated('ninety', '--days', '90');
    const { preprocess, train, task } = params('boosting.yaml');
    const done = await preprocessed(data, (same) => ({ ...same, preprocess }));
    const { notes } = await trained(done, {
      train: { ...train, n_estimators: 60, learning_rate: 0.1, backtest: { cutoffs: 3, window: 14 } },
      task,
    });
    const cutoffs = notes.backtest?.cutoffs ?? [];
    expect(cutoffs).toHaveLength(3);
    for (const { metrics, baselines } of cutoffs) {
      const average = baselines.find(({ algorithm }) => algorithm === 'moving-average');
      expect(metrics['mae']).toBeLessThan(average?.metrics['mae'] ?? 0);
    }
  });

  it('say buy, hold or sell, and what came of it is counted', async () => {
    const { evaluate, task, train } = params();
    const done = await preprocessed(generated('signals', '--days', '50'));
    const { model } = await trained(done, { train: { ...train, backtest: undefined }, task });
    const scored = async (signal: object): Promise<Evaluation> => {
      const made = stages.folder({ evaluate: { ...evaluate, signal }, task });
      for (const name of ['test.parquet', 'schema.json']) made.take(name, done.out(name));
      await stages.run('evaluate', made.take('model.onnx', model));
      return Evaluation.parse(made.json('evaluation.json'));
    };
    const { signal, rows } = await scored(evaluate.signal ?? {});
    expect(signal).toMatchObject({ from: 'price', buy: 0.05, sell: -0.05, rows });
    const columns = tableOf(done.out('test.parquet'));
    const [prices, next] = ['price', 'next_price'].map((name) =>
      Array.from(columns.get(name) ?? []).map(Number),
    );
    const rose = (prices ?? []).filter((price, i) => ((next?.[i] ?? 0) - price) / price >= 0.05).length;
    expect(signal?.signals.find((one) => one.signal === 'buy')?.came).toBe(rose);
    await expect(scored({ from: 'rarity', buy: 0.1, sell: -0.1 })).rejects.toThrow(
      'params.yaml: evaluate.signal.from: the model takes no number "rarity"; it takes price, price_lag_1',
    );
  });

  it('at a cut-off know nothing of what comes after it', async () => {
    const data = generated('fifty', '--days', '50');
    const { train, task } = params();
    const tried = async (folder: string): Promise<Backtest['cutoffs']> => {
      const backtest = { cutoffs: 2, window: 7 };
      const done = await preprocessed(folder, (same) => ({
        ...same,
        preprocess: { ...same.preprocess, baseline: { lags: ['price', 'price_lag_1'] } },
      }));
      return (
        (
          await trained(done, {
            train: {
              ...train,
              algorithm: 'gradient-boosting',
              lags: undefined,
              window: undefined,
              n_estimators: 5,
              backtest,
            },
            task,
          })
        ).notes.backtest?.cutoffs ?? []
      );
    };
    const known = await tried(data);
    const cut = known[0]?.until ?? '';
    // The window's last target is a price of the day after it.
    const other = await tried(
      withOtherFuture(data, new Date(Date.parse(cut) + 86_400_000).toISOString().slice(0, 10)),
    );
    expect(other[0]).toEqual(known[0]);
    expect(other[1]).not.toEqual(known[1]);
  });
});

async function trained(
  done: StageFolder,
  stage: { train: object; task: Params['task'] },
): Promise<{ notes: TrainingNotes; metrics: Record<string, number>; model: string }> {
  const made = stages.folder(stage);
  for (const name of ['train.parquet', 'schema.json', 'train-times.parquet']) made.take(name, done.out(name));
  await stages.run('train', made);
  return {
    model: made.out('model.onnx'),
    notes: TrainingNotes.parse(made.json('training.json')),
    metrics: made.json('metrics.json') as Record<string, number>,
  };
}

const dayBefore = (day: string): string => new Date(Date.parse(day) - 86_400_000).toISOString().slice(0, 10);

/** Rows with an answer, of this day and those before. */
function rowsUntil(folder: string, lastDay: string): number {
  const rows = pricesIn(folder);
  const known = new Set(rows.map(({ date, card_id }) => `${date} ${card_id}`));
  const tomorrow = (date: string): string =>
    new Date(Date.parse(date) + 86_400_000).toISOString().slice(0, 10);
  return rows.filter(({ date, card_id }) => date <= lastDay && known.has(`${tomorrow(date)} ${card_id}`))
    .length;
}
