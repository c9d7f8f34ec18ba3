import { execFileSync } from 'node:child_process';
import { jensenShannon, populationStability, wasserstein } from '../../../ml/drift/distances';
import { Random } from '../../../ml/random/random';
import { testWith } from '../../tools/needs';

/** scipy's own functions; PSI is written out, as no package has it. */
const JUDGE = `
import json, math, sys
from scipy.spatial.distance import jensenshannon
from scipy.stats import wasserstein_distance

def psi(p, q):
    shares = [[(c + 0.5) / (sum(counts) + 0.5 * len(counts)) for c in counts] for counts in (p, q)]
    return sum((b - a) * math.log(b / a) for a, b in zip(*shares))

answers = []
for case in json.load(sys.stdin):
    p, q = case["counts"]
    a, b = case["samples"]
    answers.append([psi(p, q), float(jensenshannon(p, q, base=2)), float(wasserstein_distance(a, b))])
print(json.dumps(answers))
`;

interface Case {
  counts: [number[], number[]];
  samples: [number[], number[]];
}

/** Histograms with empty bins, samples with ties, of all sizes down to one. */
function cases(): Case[] {
  const random = new Random(7);
  const list = <T>(size: number, make: () => T): T[] => Array.from({ length: size }, make);
  return list(300, () => {
    const bins = 1 + random.below(12);
    const counts = (): number[] => list(bins, () => (random.below(3) === 0 ? 0 : random.below(1000)));
    const sample = (): number[] =>
      list(1 + random.below(40), () =>
        random.below(2) === 0 ? random.below(5) : (random.float() - 0.5) * 10 ** random.below(6),
      );
    const [p, q] = [counts(), counts()];
    p[0]! += 1;
    q[0]! += 1;
    return { counts: [p, q], samples: [sample(), sample()] };
  });
}

testWith('python')('are those of scipy, and PSI that of its formula, to 1e-9', () => {
  const asked = cases();
  const judged = JSON.parse(
    execFileSync(process.env['RETRAIN_TEST_PYTHON'] ?? '', ['-c', JUDGE], {
      input: JSON.stringify(asked),
      maxBuffer: 1 << 24,
    }).toString(),
  ) as [number, number, number][];
  expect(judged).toHaveLength(asked.length);
  for (const [at, { counts, samples }] of asked.entries()) {
    const [p, q] = counts.map((one) => Float64Array.from(one)) as [Float64Array, Float64Array];
    const [a, b] = samples.map((one) => Float64Array.from(one).sort()) as [Float64Array, Float64Array];
    const ours = [populationStability(p, q), jensenShannon(p, q), wasserstein(a, b)];
    for (const [i, value] of ours.entries()) {
      const theirs = judged[at]![i]!;
      expect(Math.abs(value - theirs)).toBeLessThanOrEqual(1e-9 * Math.max(1, Math.abs(theirs)));
    }
  }
});

test('are the same both ways, and none between a sample and itself', () => {
  const [p, q] = [Float64Array.of(3, 0, 7), Float64Array.of(1, 4, 0)];
  const [a, b] = [Float64Array.of(1, 2, 2, 9), Float64Array.of(-3, 2)];
  for (const distance of [populationStability, jensenShannon]) {
    expect(distance(p, q)).toBeCloseTo(distance(q, p), 14);
    expect(distance(p, p)).toBe(0);
  }
  expect(wasserstein(a, b)).toBeCloseTo(wasserstein(b, a), 14);
  expect(wasserstein(a, a)).toBe(0);
});
