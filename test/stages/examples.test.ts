import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { parseParams } from '../../contracts/parse-params';
import { type Params } from '../../contracts/params';
import { Evaluation, TableProfile } from '../../contracts/stage';
import { checkGate } from '../../ml/gate/check-gate';
import { useStages } from './stage-bench';
import { type StageFolder } from './stage-folder';

const EXAMPLES = join(__dirname, '../../examples');

const stages = useStages();

const paramsOf = (example: string): Params =>
  parseParams(parse(readFileSync(join(EXAMPLES, example, 'params.yaml'), 'utf8')), 'params.yaml');

async function run(stage: string, params: unknown, inputs: Record<string, string>): Promise<StageFolder> {
  const made = stages.folder(params);
  for (const [name, path] of Object.entries(inputs)) made.take(name, path);
  await stages.run(stage, made);
  return made;
}

async function wholeRun(
  params: Params,
  data: string,
): Promise<{ evaluation: Evaluation; profile: TableProfile }> {
  const { preprocess, train, evaluate, task, expect: expected } = params;
  const done = await run('preprocess', { data: params.data, expect: expected, preprocess, task }, { data });
  const tables = { 'schema.json': done.out('schema.json') };
  const trained = await run(
    'train',
    { train, task },
    { ...tables, 'train.parquet': done.out('train.parquet') },
  );
  const evaluated = await run(
    'evaluate',
    { evaluate, task },
    { ...tables, 'test.parquet': done.out('test.parquet'), 'model.onnx': trained.out('model.onnx') },
  );
  return {
    evaluation: Evaluation.parse(evaluated.json('evaluation.json')),
    profile: TableProfile.parse(done.json('profile.json')),
  };
}

it('penguins passes its gate', async () => {
  const { evaluation, profile } = await wholeRun(
    paramsOf('penguins'),
    join(EXAMPLES, 'penguins/data/penguins.csv'),
  );
  expect(
    checkGate(paramsOf('penguins').gate, evaluation.candidate.metrics).filter(({ passed }) => !passed),
  ).toEqual([]);
  expect(profile.rows).toBe(342);
});

describe('credit-risk', () => {
  const folder = stages.folder({});
  const generate = (name: string, ...more: string[]): string => {
    const out = folder.out(name);
    execFileSync(process.execPath, [join(EXAMPLES, 'credit-risk/generate.mjs'), '--out', out, ...more]);
    return out;
  };
  afterAll(() => folder.remove());

  it('has the columns of the real file, and the same bytes for the same seed', () => {
    const [one, two, other] = [
      generate('one.csv', '--rows', '500'),
      generate('two.csv', '--rows', '500'),
      generate('other.csv', '--rows', '500', '--seed', '8'),
    ].map((path) => readFileSync(path, 'utf8'));
    expect(one).toBe(two);
    expect(one).not.toBe(other);
    expect(one?.split('\n')[0]).toBe(
      '"","SeriousDlqin2yrs","RevolvingUtilizationOfUnsecuredLines","age","NumberOfTime30-59DaysPastDueNotWorse","DebtRatio","MonthlyIncome","NumberOfOpenCreditLinesAndLoans","NumberOfTimes90DaysLate","NumberRealEstateLoansOrLines","NumberOfTime60-89DaysPastDueNotWorse","NumberOfDependents"',
    );
  });

  it('is learned about as well as the real one, and passes its gate', async () => {
    const data = generate('large.csv', '--rows', '60000');
    const params = paramsOf('credit-risk');
    const { evaluation, profile } = await wholeRun(
      { ...params, train: { ...params.train, n_estimators: 40 } },
      data,
    );
    const { metrics, intervals } = evaluation.candidate;
    expect(metrics['roc_auc']).toBeGreaterThan(0.84);
    expect(metrics['roc_auc']).toBeLessThan(0.89);
    const [low = 1, high = 0] = intervals?.['roc_auc'] ?? [];
    expect(low < (metrics['roc_auc'] ?? 0) && (metrics['roc_auc'] ?? 0) < high).toBe(true);
    expect(evaluation.threshold?.recall).toBeGreaterThan(metrics['recall'] ?? 1);
    const missing = (name: string): number => profile.columns.find((one) => one.name === name)?.missing ?? 0;
    expect(missing('MonthlyIncome') / profile.rows).toBeCloseTo(0.198, 2);
    expect(missing('NumberOfDependents') / profile.rows).toBeCloseTo(0.026, 2);
  });
});
