import * as fc from 'fast-check';
import { SideBySide } from '../../contracts/evidence';
import { type TableSchema } from '../../contracts/stage';
import { type Column } from '../../ml/dataset/raw-table';
import { type Scored } from '../../ml/scoring/scoring-table';
import { sideBySide } from '../../stages/side-by-side';

const CLASSES = ['no', 'yes'];

const schema = (task: 'classification' | 'regression'): TableSchema => ({
  ...{ task, features: ['x'], target: 'y', classes: task === 'regression' ? [] : CLASSES },
  ...{ rows: { train: 1, test: 1 }, example: [] },
});

const text = (name: string, values: readonly string[]): Column => {
  const levels = [...new Set(values)];
  return { kind: 'text', name, levels, codes: Int32Array.from(values, (value) => levels.indexOf(value)) };
};
const numbers = (name: string, values: readonly number[]): Column => ({
  ...{ kind: 'number', name, values: Float64Array.from(values) },
});

const said = (scored: Partial<Scored>): Scored => ({
  ...{ labels: null, probabilities: null, values: null },
  ...scored,
});

const label = fc.constantFrom(...CLASSES);
const cases = fc.array(fc.record({ truth: label, mine: label, its: fc.constantFrom(...CLASSES, 'maybe') }), {
  ...{ minLength: 1, maxLength: 80 },
});

test('counts what a plain loop counts, and shows the champion’s rows that were lost first', () => {
  fc.assert(
    fc.property(cases, (rows) => {
      const at = Uint32Array.from(rows, (_, row) => row + 5);
      const made = sideBySide({
        ...{ rows: at, schema: schema('classification') },
        table: {
          ...{
            rows: rows.length,
            target: text(
              'y',
              rows.map(({ truth }) => truth),
            ),
          },
          columns: [
            numbers(
              'x',
              rows.map((_, row) => row / 8),
            ),
          ],
        },
        keys: [
          text(
            'id',
            rows.map((_, row) => `row ${row}`),
          ),
          text(
            'y',
            rows.map(() => 'hidden'),
          ),
        ],
        candidate: said({ labels: rows.map(({ mine }) => mine) }),
        champion: said({ labels: rows.map(({ its }) => its) }),
      });
      expect(SideBySide.parse(made)).toEqual(made);
      const differing = rows.filter(({ mine, its }) => mine !== its);
      const lost = differing.filter(({ truth, its }) => its === truth).length;
      const won = differing.filter(({ truth, mine }) => mine === truth).length;
      expect(made.disagreements).toMatchObject({ total: differing.length, lost, won });
      const shown = made.disagreements.shown;
      expect(shown).toHaveLength(
        Math.min(20, lost) + Math.min(20, won) + Math.min(20, differing.length - lost - won),
      );
      for (const [place, one] of shown.entries()) {
        const row = rows[one.row - 6]!;
        expect(one).toMatchObject({ truth: row.truth, candidate: row.mine, champion: row.its });
        expect(one.values).toEqual([`row ${one.row - 6}`, (one.row - 6) / 8]);
        expect(one.champion === one.truth).toBe(place < Math.min(20, lost));
      }
      const sum = (counts: number[][]): number => counts.flat().reduce((total, count) => total + count, 0);
      const { labels, candidate, champion } = made.confusions!;
      expect([sum(candidate), sum(champion)]).toEqual([rows.length, rows.length]);
      const no = labels.indexOf('no');
      expect(champion[no]?.[labels.indexOf('yes')]).toBe(
        rows.filter(({ truth, its }) => truth === 'no' && its === 'yes').length,
      );
    }),
    { numRuns: 200 },
  );
});

test('of numbers, shows where one of the two gains or loses most', () => {
  const truth = [1, 2, 3, 4];
  const made = sideBySide({
    ...{ rows: Uint32Array.from([0, 1, 2, 3]), keys: [], schema: schema('regression') },
    table: { rows: 4, target: numbers('y', truth), columns: [numbers('x', [Number.NaN, 1, 2, 3])] },
    candidate: said({ values: Float64Array.from([1.5, 2, 9, 4]) }),
    champion: said({ values: Float64Array.from([1.1, 4, 3, 4]) }),
  });
  expect(made.confusions).toBeNull();
  expect(made.disagreements).toMatchObject({ total: 3, lost: 2, won: 1 });
  expect(made.disagreements.shown.map(({ row }) => row)).toEqual([3, 1, 2]);
  expect(made.disagreements.shown[1]).toEqual({
    ...{ row: 1, truth: '1', candidate: '1.5', champion: '1.1', values: [null] },
  });
});

test('long texts, many columns and many classes are bounded', () => {
  const many = Array.from({ length: 50 }, (_, f) => text(`${f} ${'n'.repeat(300)}`, ['v'.repeat(300)]));
  const wide: TableSchema = {
    ...schema('classification'),
    classes: Array.from({ length: 30 }, (_, k) => `c${k}`),
  };
  const made = sideBySide({
    ...{ rows: Uint32Array.of(0), keys: [], schema: wide },
    table: { rows: 1, target: text('y', ['c1']), columns: many },
    candidate: said({ labels: ['c1'] }),
    champion: said({ labels: ['c2'] }),
  });
  expect(made.confusions).toBeNull();
  const [one] = made.disagreements.shown;
  expect(one?.values).toHaveLength(30);
  expect(JSON.stringify(made).length).toBeLessThan(30 * 210 + 300);
});
