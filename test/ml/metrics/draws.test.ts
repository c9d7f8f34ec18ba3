import { existsSync } from 'node:fs';
import path from 'node:path';
import { Draws, type Predictions } from '../../../ml/metrics/draws';
import { measureClasses } from '../../../ml/metrics/score-classes';
import { bootstrapIntervals, intervalsOf } from '../../../ml/metrics/bootstrap';
import { Random } from '../../../ml/random/random';

const ROWS = 20_000;
const BOOTSTRAP = { resamples: 160, level: 0.95, seed: 5 };
const COMPILED = path.resolve(__dirname, '../../../dist/ml/metrics/draw-thread.js');

function classifier(stream: number): Predictions & { kind: 'classes' } {
  const random = new Random(11, stream);
  const truth = Uint32Array.from({ length: ROWS }, () => (random.float() < 0.1 ? 1 : 0));
  const values = new Float64Array(2 * ROWS);
  for (let row = 0; row < ROWS; row++) {
    values[2 * row + 1] = Math.min(1, Math.max(0, 0.3 * truth[row]! + 0.7 * random.float()));
    values[2 * row] = 1 - values[2 * row + 1]!;
  }
  const predicted = Uint32Array.from(truth, (_, row) => (values[2 * row + 1]! > 0.5 ? 1 : 0));
  const said = { truth, predicted, labels: ['no', 'yes'], classes: 2, positive: 1 };
  return { kind: 'classes', said: { ...said, probabilities: { values, classes: 2 } } };
}

const models = [classifier(1), classifier(2)];
const drawnBy = (entry: string): Promise<Record<string, number>[][]> =>
  new Draws({ ...BOOTSTRAP, rows: ROWS, models }, entry).metrics();

test('draws come out the same, bit for bit, whoever takes them', async () => {
  // Sources are not compiled in every place where unit tests run.
  const places = ['/nowhere', ...(existsSync(COMPILED) ? [COMPILED] : [])];
  const [alone = [], ...others] = await Promise.all(places.map(drawnBy));
  expect(alone).toHaveLength(BOOTSTRAP.resamples);
  for (const other of others) expect(other).toEqual(alone);
  const measure = measureClasses(models[0]!.said, BOOTSTRAP.resamples);
  expect(
    intervalsOf(
      alone.map(([first = {}]) => first),
      BOOTSTRAP.level,
    ),
  ).toEqual(bootstrapIntervals(ROWS, measure, BOOTSTRAP));
});

test.each(['/nowhere', COMPILED])('after a stop, nobody draws on (%s)', async (entry) => {
  const draws = new Draws({ ...BOOTSTRAP, rows: ROWS, models, resamples: 10_000 }, entry);
  await draws.stop();
  expect((await draws.metrics()).length).toBeLessThan(10_000);
});
