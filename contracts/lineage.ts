import { type RunSpec } from './run';

/** The hashes that say where a model comes from: what a run is named by, and what is written wherever the model goes. */
export interface Lineage {
  /** SHA-256 over model, data, params and code: see `pipelineKey`. */
  pipelineKey: string;
  dataHash: string;
  paramsHash: string;
  codeHash: string;
  /** Empty outside a git repository. */
  gitCommit: string;
}

export function lineageOf(
  spec: Pick<RunSpec, 'pipelineKey' | 'data' | 'dataHash' | 'paramsHash' | 'codeHash' | 'git'>,
): Lineage {
  return {
    pipelineKey: spec.pipelineKey,
    dataHash: dataHashOf(spec),
    paramsHash: spec.paramsHash,
    codeHash: spec.codeHash,
    gitCommit: spec.git.commit,
  };
}

/** The data hash of a run: that of its data, or over the tables, too, that are joined to it. */
export function dataHashOf({ data, dataHash }: Pick<RunSpec, 'data' | 'dataHash'>): string {
  return dataHash ?? data.sha256;
}
