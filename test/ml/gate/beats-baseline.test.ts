import { type Scores } from '../../../contracts/stage';
import { noBetterThanBaseline } from '../../../ml/gate/beats-baseline';
import { decide } from './contest-scene';

const scores = (metrics: Scores['metrics'], intervals?: Scores['intervals']): Scores => ({
  metrics,
  perClass: [],
  confusion: [],
  ...(intervals === undefined ? {} : { intervals }),
});

const against = (candidate: Scores, baseline: Scores['metrics'], algorithm = 'majority') => ({
  candidate,
  baselines: [{ algorithm, scores: scores(baseline) }],
  rows: 400,
});

describe('a model that knows nothing of its rows', () => {
  const random = against(
    scores({ accuracy: 0.53, roc_auc: 0.51 }, { accuracy: [0.48, 0.57], roc_auc: [0.45, 0.56] }),
    { accuracy: 0.5, roc_auc: 0.5 },
  );

  it('as of random labels, is said to be none the better for its luck', () => {
    expect(noBetterThanBaseline(random, 'accuracy')).toBe(
      'no better than the most frequent class on these 400 rows: accuracy 0.530 (0.480 to 0.570) against 0.500, and roc_auc 0.510 (0.450 to 0.560); to promote it all the same, set promote.beat_baseline: false',
    );
  });

  it('never goes to production, not even as the first version', () => {
    const contest = { candidate: random.candidate.metrics, champion: null, gate: {} };
    const noBetter = noBetterThanBaseline(random, 'accuracy');
    expect(decide({ ...contest, noBetter })).toMatchObject({
      outcome: 'staged',
      alias: 'staging',
      reason: noBetter,
    });
    expect(decide({ ...contest, noBetter: null })).toMatchObject({ outcome: 'promoted' });
  });

  it('of numbers', () => {
    const flat = against(
      scores({ mae: 3.1, r2: -0.02 }, { mae: [2.9, 3.3], r2: [-0.1, 0.04] }),
      { mae: 3.1, r2: -0.001 },
      'mean',
    );
    expect(noBetterThanBaseline(flat, 'mae')).toContain(
      'no better than the mean on these 400 rows: mae 3.100',
    );
  });
});

describe('a model that knows something', () => {
  it('on the metric that decides', () => {
    const good = scores({ accuracy: 0.9, roc_auc: 0.95 }, { accuracy: [0.87, 0.93], roc_auc: [0.9, 0.97] });
    expect(noBetterThanBaseline(against(good, { accuracy: 0.5 }), 'accuracy')).toBeNull();
  });

  it('of balanced weights, which loses accuracy', () => {
    const balanced = scores(
      { accuracy: 0.8, roc_auc: 0.86 },
      { accuracy: [0.76, 0.84], roc_auc: [0.81, 0.9] },
    );
    expect(noBetterThanBaseline(against(balanced, { accuracy: 0.93 }), 'accuracy')).toBeNull();
  });

  it('by a loss, which is better the smaller it is', () => {
    const good = scores({ log_loss: 0.3 }, { log_loss: [0.25, 0.35] });
    expect(noBetterThanBaseline(against(good, { log_loss: 0.69 }), 'log_loss')).toBeNull();
    expect(noBetterThanBaseline(against(good, { log_loss: 0.32 }), 'log_loss')).toContain('log_loss 0.300');
  });

  it('or has no baseline to be held against, as from another trainer', () => {
    expect(noBetterThanBaseline({ candidate: scores({ accuracy: 0.1 }), rows: 9 }, 'accuracy')).toBeNull();
  });
});
