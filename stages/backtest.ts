import { type BacktestParams } from '../contracts/backtest-params';
import { EvaluateParams } from '../contracts/params';
import { type Backtest, type Baseline, type Metrics, type TableSchema } from '../contracts/stage';
import { cutOffs, type CutOff } from '../ml/backtest/cut-offs';
import { type FeatureMatrix } from '../ml/dataset/matrix';
import {
  labelledMatrix,
  prepared,
  type StoredTable,
  takeStored,
  targetValues,
  valuedMatrix,
} from '../ml/dataset/table-artifact';
import { classNumbers } from '../ml/forest/predict';
import { type Model, predictTable } from '../ml/model/model';
import { type Scored } from '../ml/scoring/scoring-table';
import { type TrainingTable } from '../ml/trainer/trainer';
import { askBaseline } from './baselines';
import { Referee } from './referee';

/** What a backtest is made of. */
export interface BacktestInput {
  /** The training rows of the run, and the time of each. */
  stored: StoredTable;
  times: Float64Array;
  schema: TableSchema;
  params: BacktestParams;
  train: (table: TrainingTable) => Promise<Model>;
  onCutOff: (done: number, total: number) => void;
}

/**
 * Trains at each cut-off on the rows before it, as the run itself trains, and scores that model and the baselines on the window after. What
 * was learned of the rows by preprocess (levels, what stands in for a missing number) is that of all training rows.
 *
 * @throws RetrainError as `cutOffs` and the trainer do
 */
export async function backtest(input: BacktestInput): Promise<Backtest> {
  const { times, schema, params, onCutOff } = input;
  const unit = schema.time?.unit ?? 'number';
  const gap = params.gap ?? schema.time?.gap ?? 0;
  const shown = (time: number): string => timeText(time, unit);
  const cuts = cutOffs(times, { ...params, gap }, shown);
  const found: Backtest['cutoffs'] = [];
  for (const cut of cuts) {
    onCutOff(found.length, cuts.length);
    found.push({
      after: shown(cut.after),
      until: shown(cut.until),
      trainRows: cut.train.length,
      rows: cut.test.length,
      ...(await scoreCutOff(input, cut)),
    });
  }
  return {
    unit,
    window: params.window,
    gap,
    past: params.past ?? null,
    asked: params.cutoffs,
    cutoffs: found,
  };
}

async function scoreCutOff(
  { stored, schema, train }: BacktestInput,
  cut: CutOff,
): Promise<Pick<Backtest['cutoffs'][number], 'metrics' | 'baselines'>> {
  const past = takeStored(stored, cut.train);
  const future = takeStored(stored, cut.test);
  const matrix = prepared(future, schema);
  const referee = new Referee(future, schema, EvaluateParams.parse({ resamples: 0 }));
  const measure = (said: Scored): Metrics => referee.score(said, schema.classes).metrics;
  const table = schema.task === 'regression' ? valuedMatrix(past, schema) : labelledMatrix(past, schema);
  const model = await train({ ...table, names: schema.features });
  return {
    metrics: measure(await askModel(model, matrix, schema)),
    baselines: baselinesBefore(schema, past).map((baseline) => ({
      algorithm: baseline.algorithm,
      metrics: measure(askBaseline(baseline, matrix, schema)),
    })),
  };
}

async function askModel(
  model: Model,
  matrix: FeatureMatrix,
  { task, classes }: TableSchema,
): Promise<Scored> {
  const said = await predictTable(model, matrix);
  if (task === 'regression') return { labels: null, probabilities: null, values: said };
  const labels = Array.from(classNumbers(said, classes.length), (k) => classes[k] ?? '');
  return { labels, probabilities: said, values: null };
}

/** The baselines of the schema as they were before the cut-off; a logistic regression is not fitted again. */
function baselinesBefore({ baselines = [], classes }: TableSchema, past: StoredTable): Baseline[] {
  return baselines.flatMap((baseline): Baseline[] => {
    switch (baseline.algorithm) {
      case 'mean':
        return [{ ...baseline, value: meanOf(past) }];
      case 'moving-average':
        return [{ ...baseline, fallback: meanOf(past) }];
      case 'majority':
        return [{ ...baseline, shares: sharesOf(past, classes) }];
      case 'logistic-regression':
        return [];
    }
  });
}

function meanOf(table: StoredTable): number {
  const values = targetValues(table);
  return values.reduce((a, b) => a + b, 0) / values.length;
}

function sharesOf({ target, rows }: StoredTable, classes: readonly string[]): number[] {
  if (target.kind === 'number') return classes.map(() => 0);
  const counts = new Map<string, number>();
  for (const code of target.codes) {
    const level = target.levels[code] ?? '';
    counts.set(level, (counts.get(level) ?? 0) + 1);
  }
  return classes.map((name) => (counts.get(name) ?? 0) / rows);
}

const DAY_MS = 86_400_000;

/** `2026-03-09`, with the time of day where it is none of midnight; or the number. */
function timeText(time: number, unit: 'day' | 'number'): string {
  if (unit === 'number') return String(Number(time.toPrecision(12)));
  const text = new Date(time * DAY_MS).toISOString();
  return text.endsWith('T00:00:00.000Z') ? text.slice(0, 10) : `${text.slice(0, 16)}Z`;
}
