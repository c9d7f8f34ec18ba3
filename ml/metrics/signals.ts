import { type Evaluation } from '../../contracts/stage';
import { signalOf, type SignalRule, SIGNALS } from '../../contracts/signal';

type SignalScores = NonNullable<Evaluation['signal']>;

/**
 * What the signals of a model came to: how often each was said and was right, and by what share the value really changed. Rows whose `from`
 * is missing or no amount get no signal, and are not counted.
 *
 * @param from `[n]` what predictions are held against
 * @param truth `[n]` what came
 * @param predicted `[n]`
 */
export function scoreSignals(
  rule: SignalRule,
  from: ArrayLike<number>,
  truth: Float64Array,
  predicted: ArrayLike<number>,
): SignalScores {
  const found = SIGNALS.map((signal) => ({ signal, rows: 0, came: 0, right: 0, change: 0 }));
  let rows = 0;
  for (let i = 0; i < truth.length; i++) {
    const said = signalOf(rule, from[i] ?? Number.NaN, predicted[i] ?? Number.NaN);
    const came = signalOf(rule, from[i] ?? Number.NaN, truth[i]!);
    if (said === null || came === null) continue;
    rows++;
    for (const one of found) {
      if (one.signal === came) one.came++;
      if (one.signal !== said) continue;
      one.rows++;
      one.change += (truth[i]! - from[i]!) / from[i]!;
      if (said === came) one.right++;
    }
  }
  return {
    ...rule,
    rows,
    right: found.reduce((sum, one) => sum + one.right, 0),
    signals: found.map(({ change, ...one }) => ({
      ...one,
      meanChange: one.rows === 0 ? null : change / one.rows,
    })),
  };
}
