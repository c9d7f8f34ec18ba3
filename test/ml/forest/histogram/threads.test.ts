import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FeatureMatrix } from '../../../../ml/dataset/matrix';
import { growForest, type GrownForest } from '../../../../ml/forest/histogram/grow-forest';
import type { Targets } from '../../../../ml/forest/histogram/targets';
import { Random } from '../../../../ml/random/random';
import { compileEntry } from '../compiled';
import { settings } from './grow';

let thread: ReturnType<typeof compileEntry>;
beforeAll(() => (thread = compileEntry('ml/forest/histogram/thread.ts')));
afterAll(() => thread.remove());

function table(rows: number, shared: boolean): FeatureMatrix {
  const random = new Random(3);
  const values = new Float32Array(
    shared ? new SharedArrayBuffer(rows * 6 * 4) : new ArrayBuffer(rows * 6 * 4),
  );
  for (let i = 0; i < values.length; i++) values[i] = random.below(20) === 0 ? NaN : random.float() ** 3;
  return { values, rows, features: 6 };
}

function label(of: FeatureMatrix, i: number): number {
  const [a = 0, b = 0] = [of.values[i], of.values[of.rows + i]];
  return Number(a + b > 0.6) + Number(a > 0.7);
}

const targetsOf = (of: FeatureMatrix, task: string): Targets => {
  const labels = Uint32Array.from({ length: of.rows }, (_, i) => label(of, i));
  return task === 'regression'
    ? { task, values: Float32Array.from(labels) }
    : {
        task: 'classification',
        labels: task === 'two classes' ? labels.map((l) => Math.min(l, 1)) : labels,
        classes: task === 'two classes' ? 2 : 3,
      };
};

/** A hash of every byte of a forest. */
function fingerprint({ forest: { trees }, importances }: GrownForest): string {
  const hash = createHash('sha256').update(importances);
  for (const { feature, threshold, child, missingLeft, values } of trees) {
    for (const array of [feature, threshold, child, missingLeft, values]) hash.update(array);
  }
  return hash.digest('hex');
}

const forest = settings({ trees: 7, maxFeatures: 2, draws: 2500, replace: true });

describe.each(['two classes', 'three classes', 'regression'])('%s', (task) => {
  test.each([true, false])(
    '1, 2 and 3 threads grow what the calling thread grows (shared values: %s)',
    async (shared) => {
      const rows = table(2500, shared);
      const targets = targetsOf(rows, task);
      const full = task === 'regression' ? { ...forest, criterion: 'squared_error' as const } : forest;
      const grown: string[] = [];
      for (const threads of [0, 1, 2, 3]) {
        grown.push(
          fingerprint(await growForest(rows, targets, full, { threads, threadEntry: thread.entry })),
        );
      }
      expect(new Set(grown).size).toBe(1);
    },
  );
});

test('an abort ends the threads in the middle of a tree', async () => {
  const rows = table(60_000, true);
  const stop = new AbortController();
  const reason = new Error('enough');
  const growing = growForest(
    rows,
    targetsOf(rows, 'regression'),
    { ...forest, criterion: 'squared_error', trees: 10_000 },
    {
      threads: 2,
      threadEntry: thread.entry,
      onTree: () => {
        stop.abort(reason);
      },
      signal: stop.signal,
    },
  );
  await expect(growing).rejects.toBe(reason);
});

test('each tree is reported, once', async () => {
  const rows = table(2500, true);
  const seen: [number, number][] = [];
  await growForest(rows, targetsOf(rows, 'two classes'), forest, {
    threads: 2,
    threadEntry: thread.entry,
    onTree: (done, total) => seen.push([done, total]),
  });
  expect(seen).toEqual(Array.from({ length: 7 }, (_, t) => [t + 1, 7]));
});

test('a thread that fails fails the forest, and one that goes away does too', async () => {
  const rows = table(2500, true);
  const entry = join(thread.entry, '../broken.js');
  writeFileSync(entry, 'throw new Error("no such luck")');
  const grow = (): Promise<unknown> =>
    growForest(rows, targetsOf(rows, 'two classes'), forest, { threads: 2, threadEntry: entry });
  await expect(grow()).rejects.toThrow('no such luck');
  writeFileSync(entry, 'process.exit(3)');
  await expect(grow()).rejects.toThrow('a thread stopped early, with exit code 3');
});
