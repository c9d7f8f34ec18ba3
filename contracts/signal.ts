import { z } from 'zod';

/** What a predicted number says to do, by how far it is from a number of the row. */
export const SIGNALS = ['buy', 'hold', 'sell'] as const;
export type Signal = (typeof SIGNALS)[number];

/** When a prediction says buy or sell: by the change (prediction - from) / from. */
export const SignalRule = z.object({
  from: z
    .string()
    .min(1)
    .describe('The column that a prediction is held against: a number that the model takes.'),
  buy: z.number().describe('The least change, as a share, that says buy: 0.05 is 5 % up.'),
  sell: z.number().describe('The largest change that says sell: -0.05 is 5 % down. Between the two is hold.'),
});
export type SignalRule = z.infer<typeof SignalRule>;

/** As params.yaml has it. */
export const SignalParams = z.strictObject(SignalRule.shape).superRefine(({ buy, sell }, context) => {
  if (buy > sell) return;
  const message = `must be above sell, which is ${sell}: else a change would say both`;
  context.addIssue({ code: 'custom', path: ['buy'], message, input: buy });
});

/** Null: the column does not hold an amount that a change could be a share of. */
export function signalOf({ buy, sell }: SignalRule, from: number, predicted: number): Signal | null {
  if (!(from > 0) || !Number.isFinite(from) || !Number.isFinite(predicted)) return null;
  const change = (predicted - from) / from;
  if (change >= buy) return 'buy';
  return change <= sell ? 'sell' : 'hold';
}
