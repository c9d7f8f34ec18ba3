import { z } from 'zod';

const KeyValue = z.looseObject({ key: z.string(), value: z.string().default('') });

/** A model version as the REST API sends it. */
export const VersionReply = z.looseObject({
  name: z.string(),
  version: z.coerce.string(),
  creation_timestamp: z.coerce.number().default(0),
  current_stage: z.string().default('None'),
  source: z.string().default(''),
  run_id: z.string().default(''),
  status: z.string().default('READY'),
  tags: z.array(KeyValue).default([]),
  aliases: z.array(z.string()).default([]),
});

/** A version of a registered model. */
export interface ModelVersion {
  name: string;
  /** A number in decimal, `7`. */
  version: string;
  /** Epoch ms. */
  createdAt: number;
  /** The deprecated stage: None, Staging, Production or Archived. */
  stage: string;
  /** Where its files are: `runs:/…`, `models:/m-…` or an artifact URI. */
  source: string;
  /** Empty when it came from no run. */
  runId: string;
  tags: Record<string, string>;
  aliases: string[];
}

export function versionFrom(reply: z.output<typeof VersionReply>): ModelVersion {
  return {
    name: reply.name,
    version: reply.version,
    createdAt: reply.creation_timestamp,
    stage: reply.current_stage,
    source: reply.source,
    runId: reply.run_id,
    tags: Object.fromEntries(reply.tags.map(({ key, value }) => [key, value])),
    aliases: reply.aliases,
  };
}

/** A registered model with its aliases. */
export const ModelReply = z.looseObject({
  registered_model: z.looseObject({
    name: z.string(),
    aliases: z.array(z.looseObject({ alias: z.string(), version: z.coerce.string() })).default([]),
    tags: z.array(KeyValue).default([]),
  }),
});

export interface RegisteredModel {
  name: string;
  /** Alias → version. */
  aliases: Record<string, string>;
  tags: Record<string, string>;
}

export function modelFrom({ registered_model: model }: z.output<typeof ModelReply>): RegisteredModel {
  return {
    name: model.name,
    aliases: Object.fromEntries(model.aliases.map(({ alias, version }) => [alias, version])),
    tags: Object.fromEntries(model.tags.map(({ key, value }) => [key, value])),
  };
}
