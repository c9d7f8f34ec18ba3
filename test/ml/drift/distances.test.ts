import { execFileSync } from 'node:child_process';
import { chanceOfShares } from '../../../ml/drift/chance';
import { jensenShannon, populationStability, wasserstein } from '../../../ml/drift/distances';
import { fTail } from '../../../ml/drift/f-tail';
import { groupedAuc } from '../../../ml/drift/grouped-auc';
import { normalTail } from '../../../ml/drift/normal-tail';
import { Random } from '../../../ml/random/random';
import { testWith } from '../../tools/needs';

/** scipy's own functions; PSI is written out, as no package has it. */
const JUDGE = `
import json, math, sys
from scipy.spatial.distance import jensenshannon
from scipy.stats import f, fisher_exact, mannwhitneyu, norm, wasserstein_distance

def psi(p, q):
    shares = [[(c + 0.5) / (sum(counts) + 0.5 * len(counts)) for c in counts] for counts in (p, q)]
    return sum((b - a) * math.log(b / a) for a, b in zip(*shares))

def variance(x, y):
    # DeLong's, by its definition: every pair is looked at.
    pair = lambda a, b: 1.0 if a > b else 0.5 if a == b else 0.0
    v10 = [sum(pair(a, b) for b in y) / len(y) for a in x]
    v01 = [sum(pair(a, b) for a in x) / len(x) for b in y]
    auc = sum(v10) / len(x)
    return sum((v - auc) ** 2 for v in v10) / len(x) ** 2 + sum((v - auc) ** 2 for v in v01) / len(y) ** 2

answers = []
for case in json.load(sys.stdin):
    p, q = case["counts"]
    a, b = case["samples"]
    n, m, before, now = case["shares"]
    answers.append([
        psi(p, q), float(jensenshannon(p, q, base=2)), float(wasserstein_distance(a, b)),
        float(fisher_exact([[before, n - before], [now, m - now]])[1]), float(norm.sf(case["z"])),
        float(mannwhitneyu(b, a).statistic / len(a) / len(b)), variance(b, a),
        float(f.sf(*case["f"])),
    ])
print(json.dumps(answers))
`;

interface Case {
  counts: [number[], number[]];
  samples: [number[], number[]];
  /** n, m, and how many of each have something. */
  shares: [number, number, number, number];
  z: number;
  /** A value, and degrees of freedom, of an F distribution. */
  f: [number, number, number];
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
    const [n, m] = [1 + random.below(400), 1 + random.below(3000)];
    return {
      counts: [p, q],
      samples: [sample(), sample()],
      shares: [n, m, random.below(n + 1), random.below(m + 1)],
      z: (random.float() - 0.5) * 20,
      f: [10 ** (3 * random.float() - 1), 1 + 20 * random.float(), 1 + 60 * random.float()],
    };
  });
}

testWith('python')('are those of scipy, and PSI that of its formula, to 1e-9', () => {
  const asked = cases();
  const judged = JSON.parse(
    execFileSync(process.env['RETRAIN_TEST_PYTHON'] ?? '', ['-c', JUDGE], {
      input: JSON.stringify(asked),
      maxBuffer: 1 << 24,
    }).toString(),
  ) as number[][];
  expect(judged).toHaveLength(asked.length);
  for (const [at, { counts, samples, shares, z, f }] of asked.entries()) {
    const [p, q] = counts.map((one) => Float64Array.from(one)) as [Float64Array, Float64Array];
    const [a, b] = samples.map((one) => Float64Array.from(one).sort()) as [Float64Array, Float64Array];
    const [n, m, before, now] = shares;
    const positive = Uint8Array.from([...a.map(() => 0), ...b.map(() => 1)]);
    const scores = Float64Array.from([...a, ...b]);
    const area = groupedAuc(
      positive,
      scores,
      Uint32Array.from(scores, (_, row) => row),
    );
    const ours = [
      ...[populationStability(p, q), jensenShannon(p, q), wasserstein(a, b)],
      ...[chanceOfShares(before, n, now, m), normalTail(z), area.auc, area.variance],
      fTail(...f),
    ];
    for (const [i, value] of ours.entries()) {
      const theirs = judged[at]![i]!;
      // Tails of distributions to so much of themselves, however small they are.
      if (i === 4 || i === 7) expect(Math.abs(value / theirs - 1)).toBeLessThan(1e-9);
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
