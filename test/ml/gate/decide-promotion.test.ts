import { checkGate, metricsFor } from '../../../ml/gate/check-gate';
import { Params } from '../../../contracts/params';
import { type Evaluation } from '../../../contracts/stage';
import { contestOf, decidePromotion } from '../../../ml/gate/decide-promotion';
import { decide, type Scene } from './contest-scene';

describe('checkGate', () => {
  it('passes what equals the minimum', () => {
    expect(checkGate({ accuracy: 0.9 }, { accuracy: 0.9 })).toEqual([
      { metric: 'accuracy', least: 0.9, value: 0.9, passed: true },
    ]);
  });

  it('checks every metric of the gate in its order', () => {
    const checks = checkGate({ recall: 0.5, accuracy: 0.95 }, { accuracy: 0.9, recall: 0.7 });
    expect(checks.map(({ metric, passed }) => [metric, passed])).toEqual([
      ['recall', true],
      ['accuracy', false],
    ]);
  });

  it('holds losses against the most that they may be', () => {
    expect(checkGate({ log_loss: 0.1 }, { log_loss: 0.2 })).toEqual([
      { metric: 'log_loss', most: 0.1, value: 0.2, passed: false },
    ]);
  });

  it('holds the recall of each class against its own limit', () => {
    const metrics = { recall: 0.9, 'recall.fraud': 0.7, 'recall.fair': 0.99 };
    expect(checkGate({ recall: { fraud: 0.8, fair: 0.95 } }, metrics)).toEqual([
      { metric: 'recall.fraud', least: 0.8, value: 0.7, passed: false },
      { metric: 'recall.fair', least: 0.95, value: 0.99, passed: true },
    ]);
  });

  it('finds a class among more classes than have metrics of their own', () => {
    const perClass = Array.from({ length: 30 }, (_, k) => ({
      ...{ label: `c${k}`, precision: 1, recall: k / 30, f1: 1, support: 1 },
    }));
    const gate = { recall: { c15: 0.4 } };
    const metrics = metricsFor(gate, { metrics: { accuracy: 0.9 }, perClass });
    expect(metrics).toEqual({ accuracy: 0.9, 'recall.c15': 0.5 });
    expect(checkGate(gate, metrics)).toEqual([
      { metric: 'recall.c15', least: 0.4, value: 0.5, passed: true },
    ]);
  });

  it('passes nothing with a value that is no number', () => {
    expect(checkGate({ mae: 1 }, { mae: Number.NaN })[0]?.passed).toBe(false);
  });

  it('passes everything when it is empty', () => {
    expect(checkGate({}, { accuracy: 0 })).toEqual([]);
  });

  it('refuses a metric that was not made', () => {
    expect(() => checkGate({ r2: 0.9 }, { accuracy: 1 })).toThrow(
      'gate.r2: the evaluation made no such metric, expected one of accuracy',
    );
  });
});

describe('decidePromotion', () => {
  it.each<[string, Partial<Scene>, string, string | null, string]>([
    [
      'promotes what is better',
      {},
      'promoted',
      'production',
      "accuracy 0.967 beats version 3's 0.933 on 30 held-out rows that neither has seen",
    ],
    [
      'promotes when nothing is in production',
      { champion: null },
      'promoted',
      'production',
      'there is no production version to beat yet',
    ],
    [
      'goes by the metric it is told',
      { policy: { metric: 'f1_score' } },
      'staged',
      'staging',
      "f1_score 0.960 is below version 3's 0.970 on 30 held-out rows that neither has seen",
    ],
    [
      'stages what is equal',
      { its: { accuracy: 0.9667 } },
      'staged',
      'staging',
      "accuracy 0.967 only equals version 3's on 30 held-out rows that neither has seen",
    ],
    [
      'shows as many digits as tell two numbers apart',
      { its: { accuracy: 0.96665 } },
      'promoted',
      'production',
      "accuracy 0.96670 beats version 3's 0.96665 on 30 held-out rows that neither has seen",
    ],
    [
      'stages what is better by less than asked',
      { policy: { min_improvement: 0.05 } },
      'staged',
      'staging',
      "accuracy 0.967 beats version 3's 0.933 on 30 held-out rows that neither has seen, but by less than promote.min_improvement, 0.05",
    ],
    [
      'promotes what is better by exactly what was asked',
      { candidate: { accuracy: 0.95 }, its: { accuracy: 0.93 }, policy: { min_improvement: 0.02 } },
      'promoted',
      'production',
      "accuracy 0.950 beats version 3's 0.930 on 30 held-out rows that neither has seen",
    ],
    [
      'gives no alias below the gate, whatever the champion',
      { gate: { accuracy: 0.97, f1_score: 0.99 } },
      'gate_failed',
      null,
      "accuracy 0.967 is below the gate's 0.970 and f1_score 0.960 is below the gate's 0.990",
    ],
    [
      'gives no alias below the gate, even to the first',
      { champion: null, gate: { accuracy: 0.97 } },
      'gate_failed',
      null,
      "accuracy 0.967 is below the gate's 0.970",
    ],
    [
      'stages when the champion cannot be scored',
      { its: null, error: 'it takes columns that the data no longer has: age' },
      'staged',
      'staging',
      'version 3 cannot be scored on these 30 rows: it takes columns that the data no longer has: age; if it is to be replaced all the same, set the alias production to this version by hand',
    ],
  ])('%s', (_, changes, outcome, alias, reason) => {
    expect(decide(changes)).toMatchObject({ outcome, alias, reason });
  });

  it.each<[string, number, number, string, string]>([
    [
      'promotes a smaller error',
      230,
      250,
      'promoted',
      "mae 230.000 beats version 3's 250.000 on 30 held-out rows that neither has seen",
    ],
    [
      'stages a larger error',
      260,
      250,
      'staged',
      "mae 260.000 is above version 3's 250.000 on 30 held-out rows that neither has seen",
    ],
    ['gives no alias above the gate', 301, 400, 'gate_failed', "mae 301.000 is above the gate's 300.000"],
  ])('%s', (_, mine, its, outcome, reason) => {
    const decision = decide({
      candidate: { mae: mine },
      its: { mae: its },
      policy: { metric: 'mae' },
      gate: { mae: 300 },
    });
    expect(decision).toMatchObject({ outcome, reason });
  });

  it('stages when the champion lacks the metric', () => {
    const decision = decide({
      candidate: { accuracy: 1, roc_auc: 0.9 },
      its: { accuracy: 0.5 },
      policy: { metric: 'roc_auc' },
    });
    expect(decision).toMatchObject({
      outcome: 'staged',
      reason:
        'version 3 gives no roc_auc on these 30 rows to compare with, as a model that lacks probabilities or one of the classes; compare by another promote.metric, or if it is to be replaced all the same, set the alias production to this version by hand',
    });
  });

  it('returns the checks of the gate', () => {
    expect(decide({}).gate).toEqual([{ metric: 'accuracy', least: 0.9, value: 0.9667, passed: true }]);
  });
});

describe('contestOf', () => {
  const scores = (accuracy: number): Evaluation['candidate'] => ({
    metrics: { accuracy },
    perClass: [],
    confusion: [],
  });
  const params = Params.parse({ experiment: 'e', model: 'm', data: { path: 'd.csv', target: 'y' } });

  it('takes a stage that does not tell the rows as one that compares on all', () => {
    const evaluation = { candidate: scores(0.9), champion: scores(0.8), championError: null, rows: 50 };
    expect(decidePromotion(contestOf(params, evaluation, '1'))).toMatchObject({
      outcome: 'promoted',
      reason:
        "accuracy 0.900 beats version 1's 0.800 on all 50 held-out rows, of which version 1 may have been trained on some (the stage that scored it does not tell)",
    });
  });
});
