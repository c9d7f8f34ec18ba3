import * as fc from 'fast-check';
import { predictBatch } from '../../../ml/forest/predict';
import { predictInThreads } from '../../../ml/forest/predict-in-threads';
import { tableOf } from '../table';
import { forests, rowsFor } from './arbitrary-forest';
import { compileEntry } from './compiled';

let thread: ReturnType<typeof compileEntry>;
beforeAll(() => (thread = compileEntry('ml/forest/predict-thread.ts')));
afterAll(() => thread.remove());

const cases = forests.chain((forest) => rowsFor(forest).map((rows) => ({ forest, rows })));

test('a table in threads, a table and its rows one by one are predicted the same, bit for bit', async () => {
  for (const { forest, rows } of fc.sample(cases, { numRuns: 10, seed: 2 })) {
    const table = tableOf(rows, forest.features);
    const expected = Array.from(predictBatch(forest, table));
    const inThreads = await predictInThreads(forest, table, { threads: 2, threadEntry: thread.entry });
    expect(Array.from(inThreads)).toEqual(expected);
    const one = rows.flatMap((row) => [...predictBatch(forest, tableOf([row], forest.features))]);
    expect(one).toEqual(expected);
  }
});

test('a table of another width is refused', async () => {
  const [sample] = fc.sample(cases, { numRuns: 1, seed: 3 });
  if (sample === undefined) throw new Error('no sample');
  const table = tableOf([[]], 0);
  await expect(
    predictInThreads(sample.forest, table, { threads: 2, threadEntry: thread.entry }),
  ).rejects.toMatchObject({ code: 'MODEL_INVALID' });
});
