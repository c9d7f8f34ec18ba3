import { containerOptions, ownParams } from '../contracts/container';
import { type Params } from '../contracts/params';
import { ARTIFACT, type Artifact } from '../contracts/stage';
import { type Json } from '../ml/hashing/canonical-json';
import { stageKey } from './results/stage-cache';
import { type StageCode } from './stage-code';

/** The stages that compute: functions of content. */
export const COMPUTE_STAGES = ['preprocess', 'train', 'evaluate'] as const;
export type ComputeStageName = (typeof COMPUTE_STAGES)[number];

export function isComputeStage(name: string): name is ComputeStageName {
  return COMPUTE_STAGES.some((stage) => stage === name);
}

/** A compute stage of one run, whoever runs it: a worker, `retrain stage`, or nobody, when its result is known. */
export interface ComputeStage {
  stage: ComputeStageName;
  /** What it finds in params.json. */
  params: Json;
  /** SHA-256 of its code, or the digest of its image with what is asked of it. */
  code: string;
  /** Names of the files that it must leave in out/. */
  outputs: readonly string[];
  /** Files that are taken when they are there: a stage in another language need not know them. */
  mayLeave: readonly string[];
  /** Whether its outputs depend on nothing but inputs, params and code. */
  cacheable: boolean;
}

const OUTPUTS = {
  preprocess: {
    outputs: [ARTIFACT.train, ARTIFACT.test, ARTIFACT.schema],
    mayLeave: [ARTIFACT.profile],
  },
  train: { outputs: [ARTIFACT.model], mayLeave: [ARTIFACT.training] },
  evaluate: { outputs: [ARTIFACT.evaluation], mayLeave: [] },
} as const;

/** @param images digest by stage, of container stages only */
export function computeStage(
  stage: ComputeStageName,
  params: Params,
  code: StageCode,
  images: Readonly<Record<string, string>> = {},
): ComputeStage {
  const container = containerOptions(params[stage]);
  return {
    stage,
    params: json(stageParams(stage, params)),
    code:
      container === undefined
        ? code.stages[stage]
        : JSON.stringify([images[stage] ?? container.image, ...(container.command ?? [])]),
    ...OUTPUTS[stage],
    // What a stage gets from its worker's environment, from a volume or from a network has no hash.
    cacheable:
      container === undefined ||
      (container.env ?? []).length + (container.volumes ?? []).length + (container.network ? 1 : 0) === 0,
  };
}

/** Name of the result of a stage with these inputs; see `StageCache`. */
export function computeStageKey(
  { stage, params, code, outputs, mayLeave }: ComputeStage,
  inputs: Readonly<Record<string, Pick<Artifact, 'sha256'>>>,
): string {
  return stageKey({ stage, params, code, inputs, outputs: [...outputs, ...mayLeave] });
}

/** The keys of params.yaml that a stage depends on. */
export const STAGE_PARAMS = {
  preprocess: ['data', 'preprocess', 'expect', 'task'],
  train: ['train', 'task'],
  evaluate: ['evaluate', 'task'],
} as const satisfies Record<ComputeStageName, readonly (keyof Params)[]>;

function stageParams(stage: ComputeStageName, params: Params): Record<string, unknown> {
  const own = (key: keyof Params): unknown => (key === stage ? ownParams(params[stage]) : params[key]);
  return Object.fromEntries(STAGE_PARAMS[stage].map((key) => [key, own(key)]));
}

/** As JSON would carry it: keys without a value left out. */
function json(value: unknown): Json {
  return JSON.parse(JSON.stringify(value)) as Json;
}
