import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FeatureMatrix } from '../../../../ml/dataset/matrix';
import { boostForest } from '../../../../ml/forest/boosting/boost-forest';
import type { BoostSettings } from '../../../../ml/forest/boosting/settings';
import type { Forest } from '../../../../ml/forest/forest';
import type { Targets } from '../../../../ml/forest/histogram/targets';
import { Random } from '../../../../ml/random/random';
import { compileEntry } from '../compiled';

let thread: ReturnType<typeof compileEntry>;
beforeAll(() => (thread = compileEntry('ml/forest/boosting/thread.ts')));
afterAll(() => thread.remove());

/** More rows than one unit of work has. */
const ROWS = 20_000;
const FEATURES = 5;

function table(): FeatureMatrix {
  const random = new Random(8);
  const values = Float32Array.from({ length: ROWS * FEATURES }, () =>
    random.below(20) === 0 ? NaN : random.float(),
  );
  return { values, rows: ROWS, features: FEATURES };
}

function targetsOf({ values }: FeatureMatrix, task: string): Targets {
  const sums = Float32Array.from({ length: ROWS }, (_, i) => (values[i] ?? 0) + (values[ROWS + i] ?? 0) || 0);
  if (task === 'regression') return { task, values: sums };
  const classes = task === 'two classes' ? 2 : 3;
  return {
    task: 'classification',
    labels: Uint32Array.from(sums, (sum) => Math.floor(sum) % classes),
    classes,
  };
}

const settings: BoostSettings = {
  rounds: 6,
  seed: 4,
  learningRate: 0.1,
  maxLeaves: 15,
  maxDepth: 100,
  minSamplesLeaf: 20,
  l2: 0,
};

/** A hash of every byte of a forest. */
function fingerprint({ baseScore, trees }: Forest): string {
  const hash = createHash('sha256').update(baseScore);
  for (const { feature, threshold, child, missingLeft, values } of trees) {
    for (const array of [feature, threshold, child, missingLeft, values]) hash.update(array);
  }
  return hash.digest('hex');
}

test.each(['two classes', 'three classes', 'regression'])(
  '%s: 1, 2 and 3 threads boost the same',
  async (task) => {
    const rows = table();
    const boosted: string[] = [];
    for (const threads of [1, 2, 3]) {
      const options = { threads, threadEntry: thread.entry };
      const forest = await boostForest(rows, targetsOf(rows, task), settings, options);
      expect(forest.trees[0]?.feature.length).toBe(2 * settings.maxLeaves - 1);
      boosted.push(fingerprint(forest));
    }
    expect(new Set(boosted).size).toBe(1);
  },
);

test('an abort ends the boosting and its threads', async () => {
  const rows = table();
  const stop = new AbortController();
  const reason = new Error('enough');
  const boosting = boostForest(
    rows,
    targetsOf(rows, 'two classes'),
    { ...settings, rounds: 100_000 },
    {
      threads: 2,
      threadEntry: thread.entry,
      onRound: () => {
        stop.abort(reason);
      },
      signal: stop.signal,
    },
  );
  await expect(boosting).rejects.toBe(reason);
});

test('a thread that fails before it takes any work fails the boosting', async () => {
  const rows = table();
  const entry = join(thread.entry, '../broken.js');
  writeFileSync(entry, 'throw new Error("no such luck")');
  await expect(
    boostForest(
      rows,
      targetsOf(rows, 'two classes'),
      { ...settings, rounds: 100_000 },
      { threads: 2, threadEntry: entry },
    ),
  ).rejects.toThrow('no such luck');
});
