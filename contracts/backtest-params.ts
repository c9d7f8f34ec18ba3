import { z } from 'zod';

/** Most cut-offs of a backtest: each is a training. */
const MOST_CUTOFFS = 50;

/** A backtest with a rolling origin: how often, and on how much, the training is tried on the past. */
export const BacktestParams = z.strictObject({
  cutoffs: z
    .int()
    .min(1)
    .max(MOST_CUTOFFS)
    .default(5)
    .describe(
      'How many cut-offs: at each, a model is trained on what was before and scored on the window after.',
    ),
  window: z
    .number()
    .gt(0)
    .describe(
      'Length of the window that a model is scored on: in days where preprocess.time_by holds dates, else in its own unit. The windows lie side by side and end with the last training row.',
    ),
  past: z
    .number()
    .gt(0)
    .optional()
    .describe('How far back the rows go that a model is trained on, from its cut-off. Default: all the way.'),
  gap: z
    .number()
    .min(0)
    .optional()
    .describe('As preprocess.gap, before each window. Default: what preprocess.gap says.'),
});
export type BacktestParams = z.infer<typeof BacktestParams>;

interface Choice {
  preprocess: { split: string };
  train: { executor?: string; backtest?: unknown };
}

/** A schema check: cut-offs need rows that time orders, and training code of ours. */
export function checkBacktest(
  { preprocess, train }: Choice,
  context: { addIssue(issue: { code: 'custom'; path: string[]; message: string; input: unknown }): void },
): void {
  if (train.backtest === undefined) return;
  const mistake = (message: string): void =>
    context.addIssue({ code: 'custom', path: ['train', 'backtest'], message, input: train.backtest });
  if (preprocess.split !== 'time')
    mistake('needs preprocess.split: time, with time_by: a cut-off is a moment; set them, or leave it out');
  if (train.executor === 'container')
    mistake('is made by our own training code, not by that of an image; leave it out');
}
