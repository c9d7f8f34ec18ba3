import { digestFile } from '../../ml/hashing/digest-file';
import { type ModelCard } from '../model/model-card';
import { type NamedModel } from '../model/open-reference';

/** What a file of answers says of the model that gave them: keys of the Parquet's metadata. */
export async function aboutModel(
  { registered, provenance }: Pick<NamedModel, 'registered' | 'provenance'>,
  { file }: ModelCard,
): Promise<Record<string, string>> {
  const { sha256 } = await digestFile(file);
  const { internalParameters, resolvedDependencies } = provenance?.predicate.buildDefinition ?? {};
  const pipelineKey = internalParameters?.['pipelineKey'];
  const commit = resolvedDependencies?.find(({ digest }) => digest?.['gitCommit'] !== undefined);
  return {
    ...(registered === null
      ? {}
      : { 'retrain.model': registered.name, 'retrain.model_version': registered.version }),
    ...(registered?.mlflowRunId == null ? {} : { 'retrain.mlflow_run_id': registered.mlflowRunId }),
    'retrain.model_sha256': sha256,
    ...(typeof pipelineKey === 'string' ? { 'retrain.pipeline_key': pipelineKey } : {}),
    ...(commit?.digest?.['gitCommit'] === undefined
      ? {}
      : { 'retrain.git_commit': commit.digest['gitCommit'] }),
  };
}
