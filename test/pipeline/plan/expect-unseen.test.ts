import { Params, PreprocessParams } from '../../../contracts/params';
import { runParams } from '../../../integrations/mlflow/run-fields';
import { chooseRows } from '../../../ml/dataset/choose-rows';
import { type Column } from '../../../ml/dataset/raw-table';
import { nameRows } from '../../../ml/dataset/row-names';
import { type FlatParams, forecastText, forecastUnseen } from '../../../pipeline/plan/expect-unseen';

const data = { path: 'd.csv', target: 'y' };

const flat = (preprocess: object): FlatParams =>
  runParams({
    params: Params.parse({ experiment: 'e', model: 'm', data, preprocess }),
    data: { path: 'd.csv', sha256: '', md5: '', sizeBytes: 0 },
  });

const ROWS = 20_000;
const columns: Column[] = [
  { kind: 'number', name: 'a', values: Float64Array.from({ length: ROWS }, (_, row) => row) },
];

/** What becomes of real splits: which share of the second one's held-out rows the first one did not train on. */
function measured(before: object, now: object): number {
  const names = nameRows(columns, ROWS);
  const held = (changes: object): Uint32Array =>
    chooseRows(
      { file: 'd.csv', rows: ROWS, columns },
      { names, labels: null, classes: [] },
      PreprocessParams.parse(changes),
    ).test;
  const known = new Set(held(before));
  const test = held(now);
  return test.filter((row) => known.has(row)).length / test.length;
}

describe('forecastUnseen', () => {
  it.each<[string, object, object]>([
    ['another seed', {}, { seed: 7 }],
    ['more rows held out', { test_size: 0.2 }, { test_size: 0.4 }],
    ['a fold instead of a share', { test_size: 0.3 }, { split: 'k-fold', folds: 4, fold: 1 }],
    ['another fold', { split: 'k-fold', folds: 5, fold: 0 }, { split: 'k-fold', folds: 5, fold: 1 }],
    ['other folds', { split: 'k-fold', folds: 5, fold: 1 }, { split: 'k-fold', folds: 4, fold: 1 }],
  ])('is what splits come to: %s', (_, before, now) => {
    const forecast = forecastUnseen(flat(before), flat(now));
    expect(forecast?.share).toBeCloseTo(measured(before, now), 1);
  });

  it.each<[string, object, object]>([
    ['nothing changed', {}, {}],
    ['fewer rows held out', { test_size: 0.3 }, { test_size: 0.2 }],
    ['the first fold is the same rows', { test_size: 0.2 }, { split: 'k-fold', folds: 5, fold: 0 }],
    ['rows are filtered', {}, { filter: 'a > 1' }],
    [
      'the split goes by time',
      { split: 'time', time_by: 't' },
      { split: 'time', time_by: 't', test_size: 0.1 },
    ],
  ])('says nothing when it costs nothing: %s', (_, before, now) => {
    expect(forecastUnseen(flat(before), flat(now))).toBeNull();
  });

  it.each<[object]>([
    [{ drop: ['b'] }],
    [{ rename: { a: 'b' } }],
    [{ row_id: ['id'] }],
    [{ split: 'grouped', group_by: 'g' }],
  ])('takes the split for drawn anew when rows have other names: %j', (now) => {
    expect(forecastUnseen(flat({ test_size: 0.25 }), flat({ test_size: 0.25, ...now }))?.share).toBe(0.25);
  });

  it('names the change, and what it comes to', () => {
    expect(forecastText({ share: 0.2, because: ['preprocess.seed 42 → 7'] }, 'version 3')).toBe(
      'preprocess.seed 42 → 7: version 3 was trained on most of the held-out rows that it knows: the two are compared on about 20 % of them, and on rows that came since',
    );
    expect(forecastText({ share: 0, because: ['preprocess.fold 0 → 1'] }, 'version 3')).toBe(
      'preprocess.fold 0 → 1: version 3 was trained on all held-out rows that it knows, so the two are compared on rows that came since, if there are enough (promote.min_rows)',
    );
  });
});
