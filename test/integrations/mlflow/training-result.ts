import { randomBytes } from 'node:crypto';
import type { TrainingResult } from '../../../contracts/run';

/** A pipeline key that no other test has. */
export function freshKey(): string {
  return randomBytes(32).toString('hex');
}

/** A result as a run of iris has it. */
export function trainingResult(change: Partial<TrainingResult> = {}): TrainingResult {
  return {
    outcome: 'promoted',
    model: 'iris-classifier',
    modelVersion: '1',
    pipelineKey: 'a'.repeat(64),
    dataHash: 'b'.repeat(64),
    paramsHash: 'c'.repeat(64),
    codeHash: 'd'.repeat(64),
    gitCommit: '',
    workflowId: 'train-iris',
    workflowRunId: 'first',
    mlflowRunId: 'e'.repeat(32),
    mlflowExperimentId: '1',
    metrics: { accuracy: 0.9667, f1_score: 0.9666 },
    gate: [{ metric: 'accuracy', least: 0.9, value: 0.9667, passed: true }],
    champion: null,
    alias: 'production',
    reason: 'the first version — über dem Gate',
    stageMs: { preprocess: 12, train: 40 },
    finishedAt: '2026-01-01T00:00:00.000Z',
    ...change,
  };
}
