import { containerOptions, ownParams } from '../contracts/container';
import { type Params } from '../contracts/params';
import { type Json } from '../ml/hashing/canonical-json';
import { stageRow, type ComputeStageName } from './stage';
import { type StageCode } from './stage-code';

/** A compute stage of one run, whoever runs it: a worker, `retrain stage`, or nobody, when its result is known. */
export interface ComputeStage {
  stage: ComputeStageName;
  /** What it finds in params.json. */
  params: Json;
  /** SHA-256 of its code, or the digest of its image with what is asked of it. */
  code: string;
  /** As in the table. */
  makes: readonly string[];
  /** As in the table. */
  mayLeave: readonly string[];
  /** Whether its outputs depend on nothing but inputs, params and code. */
  cacheable: boolean;
}

/** @param images digest by stage, of container stages only */
export function computeStage(
  stage: ComputeStageName,
  params: Params,
  code: StageCode,
  images: Readonly<Record<string, string>> = {},
): ComputeStage {
  const container = containerOptions(params[stage]);
  const { makes, mayLeave } = stageRow(stage);
  return {
    stage,
    params: json(stageParams(stage, params)),
    code:
      container === undefined
        ? code.stages[stage]
        : JSON.stringify([images[stage] ?? container.image, ...(container.command ?? [])]),
    makes,
    mayLeave,
    // What a stage gets from its worker's environment, from a volume or from a network has no hash.
    cacheable:
      container === undefined ||
      (container.env ?? []).length + (container.volumes ?? []).length + (container.network ? 1 : 0) === 0,
  };
}

function stageParams(stage: ComputeStageName, params: Params): Record<string, unknown> {
  const own = (key: keyof Params): unknown => (key === stage ? ownParams(params[stage]) : params[key]);
  return Object.fromEntries(stageRow(stage).params.map((key) => [key, own(key)]));
}

/** As JSON would carry it: keys without a value left out. */
function json(value: unknown): Json {
  return JSON.parse(JSON.stringify(value)) as Json;
}
