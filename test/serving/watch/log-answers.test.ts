import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openPredictionLog } from '../../../serving/log/open-prediction-log';
import { type Label } from '../../../serving/model/served-model';
import { logAnswers, numberOf } from '../../../serving/watch/log-answers';
import { measured, positiveClass } from '../../../serving/watch/measure-answers';
import { column, logged, modelOf } from '../log/logged';

const dir = mkdtempSync(path.join(tmpdir(), 'retrain-watch-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const START = Date.parse('2026-03-09T10:00:00Z');
const HOUR = 3_600_000;
const { signal } = new AbortController();

/** Gives the answers, an hour apart, each also by another version and by what only listened; and then the labels, all at a moment. */
async function logOf(
  name: string,
  answers: readonly (readonly [Label, number] | number)[],
  labels: readonly (readonly [id: string, label: Label])[],
  labelledAt: number,
): Promise<string> {
  const folder = path.join(dir, name);
  let now = START;
  const log = openPredictionLog({ dir: folder, retentionDays: 3650, now: () => now });
  const model = modelOf(answers.some((answer) => typeof answer === 'number') ? [] : ['a', 'b']);
  answers.forEach((answer, row) => {
    const said = typeof answer === 'number' ? { answers: [answer] } : { answers: [answer] };
    const one = { model, columns: [column('x', [row], 'number')], at: START + row * HOUR, ...said };
    log.add(logged({ ...one, requestId: `r${row}` }));
    log.add(logged({ ...one, requestId: `shadow${row}`, role: 'shadow' }));
    log.add(logged({ ...one, requestId: `other${row}`, version: '2' }));
  });
  now = labelledAt;
  for (const [id, label] of labels) log.feedback(id, 0, label);
  await log.close();
  return folder;
}

const window = {
  model: 'iris-classifier',
  modelVersion: '3',
  from: new Date(START),
  to: new Date(START + 24 * HOUR),
};
const answersOf = (classes: readonly Label[]) => ({ task: modelOf(classes).task, classes, cutoff: null });

test('labels of strangers: other classes count as wrong, other ids and other versions as nothing', async () => {
  const folder = await logOf(
    'strangers',
    Array.from({ length: 8 }, () => ['a', 0.8] as const),
    [
      ['r0', 'a'],
      ['r1', 'b'],
      ['r2', 'banana'],
      ['r3', 1e308],
      ['r4', true],
      ['nobody', 'a'],
      ['shadow5', 'a'],
      ['other6', 'a'],
      ['r7', '\u0000<script>'],
    ],
    START + 10 * HOUR,
  );
  const model = answersOf(['a', 'b']);
  const found = await logAnswers({ dir: folder, ...window, signal }, model);
  expect(found).toMatchObject({ rows: 8, labels: 6, unknown: 4, unreadable: 0, early: 0 });
  expect([...found.byAnswer]).toEqual([['a', { rows: 8, labelled: 6 }]]);
  const { measure, rows } = measured(found.labelled, model, positiveClass(model));
  expect(rows).toBe(6);
  expect(measure()['accuracy']).toBeCloseTo(1 / 6, 12);
});

test('a check of an earlier moment knows no label that came later, and labels before their answers are told', async () => {
  const folder = await logOf(
    'times',
    Array.from({ length: 4 }, () => ['b', 0.8] as const),
    [
      ['r0', 'b'],
      ['r3', 'b'],
    ],
    START + 2 * HOUR,
  );
  const model = answersOf(['a', 'b']);
  const now = await logAnswers({ dir: folder, ...window, signal }, model);
  expect(now).toMatchObject({ rows: 4, labels: 2, early: 1, delays: [7200, 0] });
  const earlier = await logAnswers({ dir: folder, ...window, to: new Date(START + HOUR), signal }, model);
  expect(earlier).toMatchObject({ rows: 1, labels: 0 });
});

test('the last word about a row counts, and of an earlier moment the last that was known then', async () => {
  const folder = path.join(dir, 'contradicted');
  const answers = [['a', 0.8]] as const;
  const told = [['a', 'a'], ['b'], ['a', 'b']];
  for (const [day, labels] of told.entries()) {
    const now = START + HOUR + day * 24 * HOUR;
    const log = openPredictionLog({ dir: folder, retentionDays: 3650, now: () => now });
    const one = { model: modelOf(['a', 'b']), columns: [column('x', [1], 'number')], answers };
    if (day === 0) log.add(logged({ ...one, requestId: 'r0', at: START }));
    for (const label of labels) log.feedback('r0', 0, label);
    await log.close();
  }
  const model = answersOf(['a', 'b']);
  const truthOn = async (days: number): Promise<number[]> => {
    const to = new Date(START + days * 24 * HOUR);
    const found = await logAnswers({ dir: folder, ...window, to, signal }, model);
    expect(found).toMatchObject({ rows: 1, labels: found.labelled.truth.length });
    return found.labelled.truth;
  };
  expect(await truthOn(1 / 48)).toEqual([]);
  expect(await truthOn(1)).toEqual([0]);
  expect(await truthOn(2)).toEqual([1]);
  // Both of the third day came at the same moment, the one after the other.
  expect(await truthOn(3)).toEqual([1]);
});

test('numbers: what is no number is no label', async () => {
  const labels = [
    ['r0', 1.5],
    ['r1', 'two'],
    ['r2', true],
    ['r3', '4'],
  ] as const;
  const folder = await logOf('numbers', [1, 2, 3, 4], labels, START + 10 * HOUR);
  const model = answersOf([]);
  const found = await logAnswers({ dir: folder, ...window, signal }, model);
  expect(found).toMatchObject({ rows: 4, labels: 1, unreadable: 3, unknown: 0 });
  expect(measured(found.labelled, model, undefined).measure()['mae']).toBeCloseTo(0.5, 12);
});

test.each<[string, Buffer]>([
  ['cut short', Buffer.from('PAR1')],
  ['of nobody', Buffer.from('PAR1garbagePAR1')],
  ['zeroed', Buffer.alloc(4096)],
  ['empty', Buffer.alloc(0)],
])(
  'a file of the log that is %s is named, and nothing is told of the rest as if it were all',
  async (_, bytes) => {
    for (const folder of ['iris-classifier@3', 'feedback']) {
      const whole = await logOf(`damaged-${folder}-${bytes.length}`, [['a', 0.8]], [['r0', 'a']], START);
      const file = path.join(whole, '2026-03-09', folder, '0000000000.7.parquet');
      writeFileSync(file, bytes);
      const model = answersOf(['a', 'b']);
      await expect(logAnswers({ dir: whole, ...window, signal }, model)).rejects.toMatchObject({
        code: 'DATA_INVALID',
        message: expect.stringMatching(
          /0000000000\.7\.parquet: cannot be read as a file of the prediction log/,
        ) as string,
      });
      rmSync(file);
      expect(await logAnswers({ dir: whole, ...window, signal }, model)).toMatchObject({
        rows: 1,
        labels: 1,
      });
    }
  },
);

test('no log at all is no answers', async () => {
  const found = await logAnswers({ dir: path.join(dir, 'none'), ...window, signal }, answersOf(['a', 'b']));
  expect(found).toMatchObject({ rows: 0, labels: 0 });
});

test.each<[Label | null, readonly Label[], number]>([
  ['1', [0, 1], 1],
  [1, ['0', '1'], 1],
  ['1.0', [0, 1], 1],
  ['', [0, 1], Number.NaN],
  ['True', [false, true], 1],
  [true, [false, true], 1],
  ['yes', [false, true], Number.NaN],
  [null, ['a'], Number.NaN],
  ['__proto__', ['a'], Number.NaN],
])('%j of the classes %j is number %d', (label, classes, number) => {
  expect(numberOf(label, { task: 'classification', classes })).toBe(number);
});

test.each<[Label, number]>([
  [2.5, 2.5],
  [-3e38, -3e38],
  [1e308, Number.NaN],
  [-1e39, Number.NaN],
  ['2.5', Number.NaN],
])('the label %j of a regression is read as %d', (label, number) => {
  expect(numberOf(label, { task: 'regression', classes: [] })).toBe(number);
});
