import { z } from 'zod';

/** A span as `drift.window` is written: `12h`, `7d`, `2w`. */
const span = z.string().regex(/^[1-9]\d{0,3}(\.\d+)?(h|d|w)$/, 'must be a span such as 12h, 7d or 2w');

const time = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time of day such as 22:00');

const timezone = z.string().refine((name) => {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name }).format(0);
    return true;
  } catch {
    return false;
  }
}, 'must be a time zone such as Europe/Berlin');

/** Hours in which nobody is told of an alarm. */
export const QuietHours = z
  .strictObject({
    from: time.describe('Their begin, by the clock of the time zone.'),
    to: time.describe('Their end; earlier than `from`: on the next day.'),
    timezone: timezone.default('UTC').describe('IANA name.'),
  })
  .refine(({ from, to }) => from !== to, 'from and to must differ');
export type QuietHours = z.infer<typeof QuietHours>;

/** Keys of `drift` about live accuracy and what becomes of an alarm. */
export const alarmKeys = {
  on_alarm: z
    .enum(['train', 'notify'])
    .default('notify')
    .describe(
      'What an alarm does. notify: the channels are told. train: a training of the data as they are is started, too; where they have been trained on already, it is said that new data are needed.',
    ),
  train_every: span
    .default('1d')
    .describe('A training is asked for no more often than this, however often alarms begin.'),
  resolved_after: z
    .int()
    .min(1)
    .max(100)
    .default(2)
    .describe('Checks in a row that must no longer find a cause before it counts as resolved.'),
  quiet: QuietHours.optional().describe('Hours in which notices of alarms are held back until they end.'),
  accuracy: z
    .strictObject({
      window: span.default('7d').describe('How far back predictions are held against their labels.'),
      labels_min: z
        .int()
        .min(10)
        .max(1_000_000)
        .default(50)
        .describe('Fewer true labels than this say nothing of the accuracy.'),
    })
    .prefault({})
    .describe('Live accuracy, from the feedback that the API was sent.'),
};
