import { z } from 'zod';
import { ProjectIdentity } from './project-identity';

const file = z.string().min(1).max(1000);

/** How a table of predictions may be written: by the end of its name. */
export const BATCH_OUTPUTS = ['.parquet', '.csv', '.jsonl'] as const;

/** Input of the workflow `batchPrediction`. */
export const BatchPredictionInput = z.strictObject({
  data: file.describe('File or folder of the rows, relative to the worker’s project.'),
  model: z
    .string()
    .min(1)
    .max(500)
    .describe('`iris-classifier@production`, or `iris-classifier@3`; what an alias names when it starts.'),
  out: file.describe(
    'File for the predictions, relative to the worker’s project: .parquet, .csv or .jsonl. It is replaced if a batch prediction made it.',
  ),
  project: ProjectIdentity.optional().describe('Filled in by schedules: whose runs they start.'),
});
export type BatchPredictionInput = z.infer<typeof BatchPredictionInput>;

/** What a batch prediction is about, settled before it starts. */
export interface BatchSpec {
  /** As given, relative to the project. */
  data: string;
  out: string;
  dataHash: string;
  dataSizeBytes: number;
  model: string;
  modelVersion: string;
  /** That made the version; empty: it came from no run. */
  modelRunId: string;
  /** SHA-256 of the data's path and hash, the version and its run, and `out`: the same key, the same predictions at the same place. */
  batchKey: string;
  /** Whose it is: workers of other projects refuse it. */
  project?: ProjectIdentity;
}

/** The file that was written, or was there already. */
export interface BatchOutput {
  rows: number;
  sizeBytes: number;
  sha256: string;
  /** It was there: the same data had been scored by the same version. */
  reused: boolean;
}

/** What the workflow `batchPrediction` came to. */
export interface BatchPredictionResult extends BatchOutput {
  data: string;
  dataHash: string;
  model: string;
  modelVersion: string;
  out: string;
  mlflowRunId: string;
}

export interface BatchActivities {
  /** Checks what was asked for, hashes the data, and looks which version the alias names. */
  resolveBatch(input: BatchPredictionInput): Promise<BatchSpec>;
  predictBatch(input: BatchSpec): Promise<BatchOutput>;
  /** Writes the lineage to MLflow. */
  recordBatch(input: {
    batch: BatchSpec;
    output: BatchOutput;
    project?: ProjectIdentity;
  }): Promise<{ mlflowRunId: string }>;
}
