import {
  type Champion,
  type ComputeOutput,
  type EvaluateOutput,
  type PreprocessOutput,
} from '../contracts/activities';
import { type StageName } from '../contracts/names';
import { type RunSpec } from '../contracts/run';

// What the Web UI says about each stage: a line in the timeline when it begins, a few words on the board when it is done.

/** The line of a stage's activity in the timeline. */
export const SUMMARY = {
  preprocess: ({ data }: RunSpec) => `${data.path}, ${data.sizeBytes} bytes`,
  train: ({ params: { train } }: RunSpec) => `${train.algorithm}, ${train.n_estimators} trees`,
  evaluate: (_spec: RunSpec, champion: Champion | null) =>
    champion === null
      ? 'no champion yet'
      : `against version ${champion.version}${champion.error === undefined ? '' : `, which cannot be scored: ${champion.error}`}`,
  register: ({ params }: RunSpec) => `${params.model}: model, metrics, version`,
  promote: ({ params }: RunSpec, modelVersion: string) => `${params.model} version ${modelVersion}`,
} as const satisfies Record<StageName, (spec: RunSpec, ...rest: never[]) => string>;

/** What a stage came to, in a few words. */
export const NOTE = {
  preprocess: ({ rows, reused }: PreprocessOutput) =>
    unlessReused(`${rows.train} training rows, ${rows.test} held out`, reused),
  /** What the trainer measured of itself. */
  train: ({ metrics, reused }: ComputeOutput) =>
    unlessReused(
      Object.entries(metrics)
        .map(([name, value]) => `${name} ${Number(value.toPrecision(4))}`)
        .join(', '),
      reused,
    ),
  evaluate: ({ candidateMetrics, rows, reused }: EvaluateOutput) => {
    const [name, value] = Object.entries(candidateMetrics)[0] ?? ['no metric', NaN];
    return unlessReused(`${name} ${value.toFixed(3)} on ${rows} rows`, reused);
  },
  register: ({ modelVersion }: { modelVersion: string }) => `version ${modelVersion}`,
  promote: ({ reason }: { reason: string }) => reason,
} as const satisfies Record<StageName, (result: never) => string>;

function unlessReused(text: string, reused: boolean): string {
  return reused ? `reused: ${text}` : text;
}
