import { type Metrics } from '../../contracts/stage';
import { COMPUTE_STAGES, type ComputeStageName } from '../../pipeline/stage';

/** What a reproduction came to. */
export interface Verdict {
  /** Same model bytes; other bytes but the same metrics; or neither. */
  verdict: 'bit-identical' | 'metric-identical' | 'diverged';
  /** The first stage whose outcome differs; null when the model is bit-identical. */
  stage: ComputeStageName | null;
  /** `model.onnx has SHA-256 … instead of …`, `accuracy is 0.95 instead of 0.97`. */
  differences: string[];
}

/** What is known of the original, and what came out now. */
export interface Outcome {
  /** SHA-256 by name. */
  artifacts: Readonly<Record<string, string>>;
  model: string;
  metrics: Metrics;
}

/** Which stage makes which artifact. */
const MADE_BY: Record<string, ComputeStageName> = {
  'train.parquet': 'preprocess',
  'test.parquet': 'preprocess',
  'schema.json': 'preprocess',
  'model.onnx': 'train',
};

/** Compares what both have: an older run may not say what came out of its first stage. */
export function judge(original: Outcome, now: Outcome): Verdict {
  const modelDiffers = original.model !== now.model;
  const artifacts = Object.keys(MADE_BY).filter((name) => {
    if (name === 'model.onnx') return modelDiffers;
    const [before, after] = [original.artifacts[name], now.artifacts[name]];
    return before !== undefined && after !== undefined && before !== after;
  });
  const metrics = Object.keys(now.metrics).filter(
    (name) => original.metrics[name] !== undefined && original.metrics[name] !== now.metrics[name],
  );
  const compared = Object.keys(now.metrics).some((name) => original.metrics[name] !== undefined);
  const differences = [
    ...artifacts.map((name) => {
      const [before, after] =
        name === 'model.onnx'
          ? [original.model, now.model]
          : [original.artifacts[name] ?? '', now.artifacts[name] ?? ''];
      return `${name} has SHA-256 ${after.slice(0, 12)} instead of ${before.slice(0, 12)}`;
    }),
    ...metrics.map((name) => `${name} is ${now.metrics[name]} instead of ${original.metrics[name]}`),
  ];
  if (!modelDiffers && metrics.length === 0) return { verdict: 'bit-identical', stage: null, differences };
  const first =
    COMPUTE_STAGES.find((stage) => artifacts.some((name) => MADE_BY[name] === stage)) ?? 'evaluate';
  const same = metrics.length === 0 && compared;
  return { verdict: same ? 'metric-identical' : 'diverged', stage: first, differences };
}

/** `bit-identical`, `metric-identical`, `diverged at stage train`. */
export function verdictText({ verdict, stage }: Verdict): string {
  return verdict === 'diverged' && stage !== null ? `diverged at stage ${stage}` : verdict;
}
