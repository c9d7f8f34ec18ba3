import { type Signal, signalOf, type SignalRule } from '../../contracts/signal';
import { type Batch, type ModelField } from './served-model';

/** A rule whose column is one that the model takes. */
export interface PlacedRule extends SignalRule {
  /** The place of `from` among the fields. */
  readonly place: number;
}

/** Finds the column of a rule; null: there is no rule, or the model takes no such number. */
export function placedRule(rule: SignalRule | null, fields: readonly ModelField[]): PlacedRule | null {
  if (rule === null) return null;
  const place = fields.findIndex(
    ({ name, type }) => name === rule.from && type !== 'text' && type !== 'boolean',
  );
  return place === -1 ? null : { ...rule, place };
}

/**
 * What the predictions of some rows say to do; undefined: the model has no rule.
 *
 * @param values `[n]` predictions
 */
export function signalsOf(
  rule: PlacedRule | null,
  { columns }: Batch,
  values: ArrayLike<number>,
): { signals: (Signal | null)[] } | undefined {
  if (rule === null) return undefined;
  const column = columns[rule.place];
  const from = column?.kind === 'number' ? column.values : [];
  return {
    signals: Array.from({ length: values.length }, (_, row) =>
      signalOf(rule, from[row] ?? Number.NaN, values[row] ?? Number.NaN),
    ),
  };
}

/** The rule as people know it. */
export function ruleOf({ signal }: { signal: SignalRule | null }): SignalRule | null {
  return signal === null ? null : { from: signal.from, buy: signal.buy, sell: signal.sell };
}
