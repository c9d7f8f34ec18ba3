import { judge, verdictText, type Outcome } from '../../client/reproduce/verdict';

const ORIGINAL: Outcome = {
  artifacts: { 'train.parquet': 'a1', 'test.parquet': 'b1', 'schema.json': 'c1', 'model.onnx': 'm1' },
  model: 'm1',
  metrics: { accuracy: 0.9666666666666667, f1_score: 0.96 },
};
const now = (change: Partial<Outcome> = {}): Outcome => ({ ...ORIGINAL, ...change });
const said = (outcome: Outcome, original = ORIGINAL) => verdictText(judge(original, outcome));

test('the same model bytes and metrics are bit-identical', () => {
  expect(said(now())).toBe('bit-identical');
  expect(judge(ORIGINAL, now({ metrics: { ...ORIGINAL.metrics, rows_test: 30 } })).differences).toEqual([]);
});

test('other bytes with the same metrics are metric-identical, and what differs is said', () => {
  const verdict = judge(ORIGINAL, now({ model: 'm2' }));
  expect(verdict).toEqual({
    verdict: 'metric-identical',
    stage: 'train',
    differences: ['model.onnx has SHA-256 m2 instead of m1'],
  });
});

test('the first stage whose outcome differs is where it diverged', () => {
  const metrics = { accuracy: 0.9, f1_score: 0.96 };
  const artifacts = { ...ORIGINAL.artifacts, 'train.parquet': 'a2' };
  expect(said(now({ model: 'm2', metrics, artifacts }))).toBe('diverged at stage preprocess');
  expect(said(now({ model: 'm2', metrics }))).toBe('diverged at stage train');
  expect(said(now({ metrics }))).toBe('diverged at stage evaluate');
  expect(judge(ORIGINAL, now({ metrics })).differences).toEqual([
    'accuracy is 0.9 instead of 0.9666666666666667',
  ]);
});

test('a run that recorded no hashes and no metric in common cannot be called identical by its metrics', () => {
  const bare: Outcome = { artifacts: {}, model: 'm1', metrics: {} };
  expect(said(now(), bare)).toBe('bit-identical');
  expect(said(now({ model: 'm2' }), bare)).toBe('diverged at stage train');
});
