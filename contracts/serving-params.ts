import { z } from 'zod';

const alias = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, 'must be 1 to 100 letters, digits, dots, dashes or underscores')
  .refine((name) => !/^v?\d+$/.test(name), 'must be an alias, not the number of a version');

/** `serving` of params.yaml: how the model in production is served. It decides nothing of a run, and is no part of its name. */
export const ServingParams = z.strictObject({
  aliases: z
    .record(z.string().min(1).max(500), z.string().min(1).max(500))
    .default({})
    .describe(
      'Names that callers use for columns: {age_in_years: age}. Case, `-`, `_` and spaces need none.',
    ),
  canary: z
    .strictObject({
      alias: alias.default('staging').describe('Whose version answers a share of the requests.'),
      percent: z
        .number()
        .min(0)
        .max(100)
        .describe('That share. Requests with the same X-Request-Key stay on one side.'),
    })
    .optional(),
  shadow: z
    .strictObject({
      alias: alias
        .default('staging')
        .describe('Whose version hears every request too; nobody gets its answers.'),
    })
    .optional(),
  log: z
    .strictObject({
      enabled: z.boolean().default(true).describe('Keep predictions in .retrain/predictions.'),
      sample: z.number().gt(0).max(1).default(1).describe('Share of the requests that is kept.'),
      retention_days: z.int().min(1).max(3650).default(30).describe('Days that are kept, beside today.'),
      exclude: z.array(z.string().min(1)).default([]).describe('Columns that are never written.'),
    })
    .prefault({}),
});
export type ServingParams = z.infer<typeof ServingParams>;
