import { type Comparison } from '../../../contracts/comparison';
import { type PromotionPolicy } from '../../../ml/gate/judge-comparison';
import { decide, type Scene } from './contest-scene';

/** Draws spread evenly from one end to the other. */
const draws = (from: number, to: number): number[] =>
  Array.from({ length: 401 }, (_, i) => from + ((to - from) * i) / 400);

describe('the rows that are compared', () => {
  const credit = (
    comparison: Partial<Comparison>,
    policy: Partial<PromotionPolicy> = {},
  ): Partial<Scene> => ({
    candidate: { roc_auc: 0.825 },
    its: { roc_auc: 0.813 },
    gate: {},
    policy: { metric: 'roc_auc', ...policy },
    comparison: {
      rows: 29_412,
      heldOut: 30_000,
      seenByChampion: 588,
      differences: { roc_auc: { value: 0.012, draws: draws(-0.00166, 0.02466) } },
      ...comparison,
    },
  });

  it('are told in the reason, with what is left out and what may be chance', () => {
    expect(decide(credit({}))).toMatchObject({
      outcome: 'promoted',
      reason:
        "roc_auc 0.825 beats version 3's 0.813 on 29,412 held-out rows that neither has seen (588 that version 3 was trained on are left out): +0.012, 95 % interval −0.001 … +0.024",
      comparison: {
        metric: 'roc_auc',
        rows: 29_412,
        heldOut: 30_000,
        seenByChampion: 588,
        candidate: 0.825,
        champion: 0.813,
      },
    });
  });

  it('name what the candidate itself was trained on, in a split by time', () => {
    const { reason } = decide(credit({ rows: 29_411, seenByCandidate: 1, differences: {} }));
    expect(reason).toBe(
      "roc_auc 0.825 beats version 3's 0.813 on 29,411 held-out rows that neither has seen (588 that version 3 was trained on and 1 that this one was trained on are left out)",
    );
  });

  const untold = {
    rows: 30_000,
    seenByChampion: null,
    unknown: 'it does not tell which rows it was trained on',
    differences: {},
  };

  it('are all rows when nobody knows, and the reason says so', () => {
    expect(decide(credit(untold))).toMatchObject({
      outcome: 'promoted',
      reason:
        "roc_auc 0.825 beats version 3's 0.813 on all 30,000 held-out rows, of which version 3 may have been trained on some (it does not tell which rows it was trained on)",
    });
  });

  it('must be known where promote.unseen is required', () => {
    expect(decide(credit(untold, { unseen: 'required' }))).toMatchObject({
      outcome: 'staged',
      alias: 'staging',
      reason:
        'version 3 cannot be compared fairly, which promote.unseen: required asks for: it does not tell which rows it was trained on; if it is to be replaced all the same, set the alias production to this version by hand',
      comparison: null,
    });
  });

  it.each<[string, Partial<Comparison>, RegExp]>([
    [
      'a champion trained on everything',
      { rows: 0, seenByChampion: 30_000, candidate: {}, champion: {} },
      /^version 3 was trained on all 30,000 held-out rows, so none is left to compare on; add rows, /,
    ],
    [
      'too few rows',
      { rows: 19, seenByChampion: 29_981 },
      /^only 19 of 30,000 held-out rows are left to compare on, fewer than promote.min_rows, 20 \(neither version 3 nor this one was trained on them\); add rows, or split as version 3 did .*; to promote it all the same: retrain promote MODEL@VERSION --reason …$/,
    ],
  ])('stage %s', (_, comparison, reason) => {
    const decision = decide(credit(comparison));
    expect(decision).toMatchObject({ outcome: 'staged', comparison: null });
    expect(decision.reason).toMatch(reason);
  });

  it('may be as few as promote.min_rows', () => {
    expect(decide(credit({ rows: 20 })).outcome).toBe('promoted');
    expect(decide(credit({ rows: 20 }, { min_rows: 21 })).outcome).toBe('staged');
  });
});

describe('the policy', () => {
  const better = (comparison: Partial<Comparison>, policy: Partial<PromotionPolicy>): Partial<Scene> => ({
    candidate: { accuracy: 0.95, recall: 0.6, log_loss: 0.3 },
    its: { accuracy: 0.93, recall: 0.62, log_loss: 0.28 },
    comparison,
    policy,
  });

  it.each<[string, Partial<Comparison>, Partial<PromotionPolicy>, string | null]>([
    [
      'confidence holds',
      { differences: { accuracy: { value: 0.02, draws: draws(0.001, 0.04) } } },
      { confidence: 0.95 },
      null,
    ],
    [
      'confidence does not hold',
      { differences: { accuracy: { value: 0.02, draws: draws(-0.012, 0.052) } } },
      { confidence: 0.95 },
      ': +0.020, 95 % interval −0.010 … +0.050, but that may be chance: the interval of promote.confidence, 0.95, holds 0',
    ],
    [
      'a lower confidence is enough',
      { differences: { accuracy: { value: 0.02, draws: draws(-0.001, 0.041) } } },
      { confidence: 0.9 },
      null,
    ],
    [
      'no draws tell nothing of chance',
      {},
      { confidence: 0.95 },
      ', but no interval could be drawn, which promote.confidence needs',
    ],
    ['a guard holds', {}, { guard: { recall: 0.02, log_loss: 0.02 } }, null],
    [
      'a guard of a score and of a loss do not',
      {},
      { guard: { recall: 0.01, log_loss: 0.01 } },
      ', but recall 0.600 is worse than its 0.620 by more than promote.guard.recall, 0.01; and log_loss 0.300 is worse than its 0.280 by more than promote.guard.log_loss, 0.01',
    ],
    [
      'a guard needs its metric',
      {},
      { guard: { roc_auc: 0.01 } },
      ', but this version gives no roc_auc, which promote.guard names',
    ],
    [
      'a slice gets worse',
      {
        sliced: ['region'],
        slices: [
          { column: 'region', slice: 'north', rows: 400, candidate: 0.8, champion: 0.9 },
          { column: 'region', slice: 'south', rows: 99, candidate: 0.1, champion: 0.9 },
          { column: 'other', slice: 'x', rows: 400, candidate: 0.1, champion: 0.9 },
        ],
      },
      { slices: ['region'] },
      ", but where region is north (400 rows), accuracy 0.800 is worse than version 3's 0.900 by more than promote.slice_bound, 0.05",
    ],
    [
      'a slice is as good as the bound asks',
      {
        sliced: ['region'],
        slices: [{ column: 'region', slice: 'north', rows: 400, candidate: 0.85, champion: 0.9 }],
      },
      { slices: ['region'] },
      null,
    ],
    [
      'a column that is not there has no slices',
      { sliced: ['region', 'age'] },
      { slices: ['regoin'] },
      ', but the held-out rows have no column "regoin", which promote.slices names; did you mean "region"?',
    ],
  ])('%s', (_, comparison, policy, objection) => {
    const { outcome, reason } = decide(better(comparison, policy));
    expect(outcome).toBe(objection === null ? 'promoted' : 'staged');
    if (objection !== null) expect(reason.slice(-objection.length)).toBe(objection);
  });

  it('lets an error grow in a slice by a share of the champion’s', () => {
    const scene = (candidate: number): Partial<Scene> => ({
      candidate: { mae: 9 },
      its: { mae: 10 },
      gate: {},
      policy: { metric: 'mae', slices: ['region'] },
      comparison: {
        sliced: ['region'],
        slices: [{ column: 'region', slice: 'north', rows: 400, candidate, champion: 20 }],
      },
    });
    expect(decide(scene(21)).outcome).toBe('promoted');
    expect(decide(scene(21.1)).outcome).toBe('staged');
  });
});
