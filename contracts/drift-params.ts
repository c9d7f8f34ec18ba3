import { z } from 'zod';
import { alarmKeys } from './alarm-params';

/** Days of what people count alarms by. */
const DAYS = { day: 1, week: 7, month: 30, year: 365 } as const;

const RATE = /^(\d+(?:\.\d+)?) per (?:(\d+(?:\.\d+)?) )?(day|week|month|year)s?$/;
const WINDOW = /^(\d{1,4}(?:\.\d+)?)(h|d|w)$/;

const rateText = z
  .string()
  .regex(RATE, 'must be a rate such as "1 per 30 days", "2 per year", or a chance above 0 and below 1');

/** `drift` of params.yaml: when rows of now differ enough from the training rows. It decides nothing of a run, and is no part of its name. */
export const DriftParams = z
  .strictObject({
    false_alarms: z
      .union([rateText, z.number().gt(0).lt(1)])
      .default('1 per 30 days')
      .describe(
        'How often checks may raise an alarm where nothing has drifted, over all columns together: `1 per 30 days`, `2 per year`; or, as a number, the chance that one check does.',
      ),
    checks_per_day: z
      .number()
      .gt(0)
      .max(1440)
      .default(1)
      .describe('Checks that the schedule makes a day: what the rate of false alarms is divided among.'),
    min_rows: z
      .int()
      .min(20)
      .max(1_000_000)
      .default(100)
      .describe('With fewer rows nothing is said, and no alarm raised.'),
    window: z
      .string()
      .regex(WINDOW, 'must be a span such as 12h, 7d or 2w')
      .refine((text) => windowMs(text) > 0, 'must be longer than nothing')
      .default('7d')
      .describe('How much of the prediction log is looked at, back from the check: 12h, 7d, 2w.'),
    psi: z
      .number()
      .min(0)
      .optional()
      .describe(
        'Least population stability index of a column, or of the predictions, that matters: a large sample shows differences that change nothing. Common limits: 0.1 moderate, 0.25 large. Default: 0.1; where the data are split by time, none but what windows of the training period differ by.',
      ),
    new_values: z
      .number()
      .min(0)
      .max(1)
      .default(0.01)
      .describe('Least share of rows with values that no training row has that matters.'),
    missing: z
      .number()
      .min(0)
      .max(1)
      .default(0.05)
      .describe('Least change of a column’s share of missing values that matters.'),
    auc: z
      .number()
      .min(0.5)
      .lt(1)
      .optional()
      .describe(
        'Joint check: how well a forest must tell the rows of now from training rows for it to matter. 0.5: not at all; 1: every row. Default: 0.6; where the data are split by time, what is beyond the windows of the training period.',
      ),
    joint: z
      .boolean()
      .default(true)
      .describe('Whether a forest looks for drift of columns together that none of them shows alone.'),
    exclude: z
      .array(z.string().min(1).max(500))
      .max(10_000)
      .default([])
      .describe('Columns that are not looked at, such as a number that counts up.'),
    season: z
      .string()
      .min(1)
      .max(500)
      .optional()
      .describe(
        'A column of the model that tells the season, such as month or day_of_week: rows of now are held against training rows of the same values of it, in the same shares. It is not looked at itself.',
      ),
    ...alarmKeys,
  })
  .superRefine((params, context) => {
    if (falseAlarmsPerCheck(params) < 1) return;
    context.addIssue({
      code: 'custom',
      path: ['false_alarms'],
      message: `is an alarm or more for each check, with checks_per_day: ${params.checks_per_day}; name fewer alarms`,
      input: params.false_alarms,
    });
  });
export type DriftParams = z.infer<typeof DriftParams>;

/** The chance that one check raises an alarm where nothing has drifted: `1 per 30 days` of two checks a day is 1/60. */
export function falseAlarmsPerCheck({
  false_alarms: rate,
  checks_per_day: checks,
}: Pick<DriftParams, 'false_alarms' | 'checks_per_day'>): number {
  if (typeof rate === 'number') return rate;
  const [, alarms = '', count = '1', unit = 'day'] = RATE.exec(rate) ?? [];
  return Number(alarms) / (Number(count) * DAYS[unit as keyof typeof DAYS] * checks);
}

/** `7d` in ms; NaN for what is no span. */
export function windowMs(text: string): number {
  const [, amount = 'NaN', unit = 'd'] = WINDOW.exec(text) ?? [];
  return Number(amount) * { h: 1, d: 24, w: 168 }[unit as 'h' | 'd' | 'w'] * 3_600_000;
}
