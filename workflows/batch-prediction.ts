import { proxyActivities, setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import { defineSearchAttributeKey } from '@temporalio/common';
import {
  type BatchActivities,
  type BatchPredictionInput,
  type BatchPredictionResult,
} from '../contracts/batch-prediction';
import { SEARCH_ATTRIBUTE } from '../contracts/names';
import { markdownWords } from '../contracts/plain-words';
import { predicting, resolving, tracking } from './activity-options';

const keyword = (name: string) => defineSearchAttributeKey(name, 'KEYWORD');

const { resolveBatch } = proxyActivities<BatchActivities>({
  ...resolving,
  summary: 'hash the data, look which version the alias names',
});
const { predictBatch } = proxyActivities<BatchActivities>(predicting);
const { recordBatch } = proxyActivities<BatchActivities>({
  ...tracking,
  summary: 'write to MLflow what was scored by what',
});

/**
 * Scores a table of the project with a registered model, into a file of the project. The same data and model version again change nothing.
 */
export async function batchPrediction(input: BatchPredictionInput): Promise<BatchPredictionResult> {
  const batch = await resolveBatch(input);
  const { data, out, dataHash, model, modelVersion } = batch;
  upsertSearchAttributes([
    { key: keyword(SEARCH_ATTRIBUTE.model), value: model },
    { key: keyword(SEARCH_ATTRIBUTE.dataHash), value: dataHash },
  ]);
  const headline = `**${markdownWords(model)}** version ${markdownWords(modelVersion)} on ${markdownWords(data)} (data ${dataHash.slice(0, 12)}), into ${markdownWords(out)}`;
  setCurrentDetails(headline);

  const output = await predictBatch.executeWithOptions(
    { ...predicting, summary: `version ${modelVersion} on ${data.slice(0, 100)}` },
    [batch],
  );
  const owner = batch.project === undefined ? {} : { project: batch.project };
  const { mlflowRunId } = await recordBatch({ batch, output, ...owner });
  const made = output.reused ? 'were there already' : 'written';
  setCurrentDetails(`${headline}\n\n${output.rows} predictions ${made}; MLflow run \`${mlflowRunId}\``);
  return { data, dataHash, model, modelVersion, out, ...output, mlflowRunId };
}
