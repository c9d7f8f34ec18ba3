import { Context } from '@temporalio/activity';
import path from 'node:path';
import { type Champion, type PipelineActivities, type PublishInput } from '../contracts/activities';
import { dataInputs } from '../contracts/data-inputs';
import { PATCH, RUN_TAG } from '../contracts/names';
import { type TrainingResult } from '../contracts/run';
import { type ContentStore } from '../integrations/dvc/content-store';
import { type Mlflow } from '../integrations/mlflow/client';
import { resultTags } from '../integrations/mlflow/result-tag';
import { uncommittedChanges } from '../integrations/git/uncommitted-changes';
import { fetchChampion, type Verify } from '../pipeline/champion';
import { dataLineage } from '../pipeline/data-lineage';
import { COMPUTE_STAGES, stageRow } from '../pipeline/stage';
import { checkModelFiles } from './check-model-files';
import { withHeartbeat } from './heartbeat';
import { together } from './together';
import { type WorkspaceView } from '../pipeline/workspace/workspace-view';
import { reportFiles } from './report-files';
import { requireRunnable } from './runnable-spec';
import { type Computing, runParams, runTags } from '../integrations/mlflow/run-fields';

export interface TrackingDeps {
  scratchDir: string;
  /** The champion is checked with, in PEM, before it is scored; null: it is not. */
  publicKey: string | null;
  /** The project's folder, absolute. */
  project: string;
  mlflow: Mlflow;
  store: ContentStore;
  /** What the project's own command line seals specs with: see `startSecret`. */
  startSecret: string | null;
  /** What computes here, for the lineage. */
  computing: Computing;
  /** Names of the configured notice channels. */
  channels: readonly string[];
  workspace: WorkspaceView;
}

/** The MLflow run from its opening to its end, and the champion's model. */
export function createTrackingActivities({
  project,
  mlflow,
  store,
  computing,
  channels,
  workspace,
  scratchDir,
  publicKey,
  startSecret,
}: TrackingDeps): Pick<PipelineActivities, 'openRun' | 'fetchChampion' | 'closeRun'> {
  const uploadReport = async (
    artifactUri: string,
    { result, publish }: { result: TrainingResult; publish: PublishInput },
    signal: AbortSignal,
  ): Promise<void> => {
    const files = await reportFiles(store, result, publish);
    await Promise.all(
      files.map(({ path: name, bytes }) => mlflow.artifacts.uploadBytes(artifactUri, name, bytes, signal)),
    );
  };
  return {
    /** Idempotent: a run is found again by its tags, which the request that makes it sets; see `Runs.open`. */
    async openRun({ spec, workflowId, workflowRunId }) {
      // Nothing of a run is told to anybody before this; see `preprocess` for what goes on beside it.
      await requireRunnable(spec, project, startSecret);
      return withHeartbeat(async (signal) => {
        const { params } = spec;
        const experimentId = await mlflow.experiments.ensure(params.experiment, signal);
        const opened = await mlflow.runs.open(
          {
            experimentId,
            name: `${params.model} ${spec.pipelineKey.slice(0, 8)}`,
            identity: { pipelineKey: spec.pipelineKey, forceId: spec.forceId, workflowId, workflowRunId },
            tags: runTags(spec, computing),
            params: runParams(spec),
            datasets: dataInputs(spec).map(({ data: { path, sha256, sizeBytes } }) => ({
              name: path,
              digest: sha256,
              source: path,
              context: 'training',
              profile: { sizeBytes },
            })),
          },
          signal,
        );
        if (spec.git.dirty && opened.state !== 'finished') {
          const patch = await uncommittedChanges(project, spec.git.commit);
          if (patch !== null) {
            await mlflow.artifacts.uploadBytes(opened.run.artifactUri, PATCH, Buffer.from(patch), signal);
          }
        }
        return {
          mlflowRunId: opened.run.runId,
          mlflowExperimentId: experimentId,
          mlflowArtifactUri: opened.run.artifactUri,
          finished: opened.state === 'finished' ? opened.result : null,
        };
      });
    },

    /** Reads only; the store names the files by content. */
    async fetchChampion({ model }): Promise<Champion | null> {
      const { activityId, attempt, workflowExecution } = Context.current().info;
      const scratch = path.join(scratchDir, `${workflowExecution?.runId}-${activityId}-${attempt}`);
      return withHeartbeat((signal) =>
        fetchChampion(mlflow, store, model, signal, verifying(mlflow, publicKey, scratch, signal)),
      );
    },

    /**
     * Idempotent: writes the same files, report, tags and end again. Workspace and report come before the result, the
     * result before the status that points to it.
     */
    async closeRun({ status, mlflowRunId, mlflowArtifactUri, reason, finished }) {
      return withHeartbeat(async (signal, onProgress) => {
        if (finished === undefined) {
          const tags = reason === undefined ? {} : { [RUN_TAG.failureReason]: reason };
          await mlflow.runs.finish(mlflowRunId, status, { tags, signal });
          return { channels: [...channels], unpublished: null };
        }
        const { result, publish } = finished;
        const artifactUri = mlflowArtifactUri ?? (await mlflow.runs.get(mlflowRunId, signal)).artifactUri;
        const [unpublished] = await together(
          workspace.show(publish, { signal, onWait: (who) => onProgress({ phase: `waiting for ${who}` }) }),
          uploadReport(artifactUri, finished, signal),
        );
        await mlflow.runs.finish(mlflowRunId, status, {
          tags: {
            ...resultTags(result),
            ...artifactTags(publish),
            ...(await dataLineage(project, store, publish.spec)),
          },
          identity: { ...result, experimentId: result.mlflowExperimentId },
          signal,
        });
        return { channels: [...channels], unpublished };
      });
    },
  };
}

/** Hash of each file that must come out the same when the run is made again: what a reproduction is held against. */
function artifactTags({ stages }: PublishInput): Record<string, string> {
  const made = COMPUTE_STAGES.filter((stage) => stageRow(stage).shownIn !== null).flatMap((stage) =>
    stageRow(stage).makes.flatMap((name) => stages[stage]?.artifacts[name] ?? []),
  );
  return Object.fromEntries(made.map(({ name, sha256 }) => [`${RUN_TAG.artifactSha256}.${name}`, sha256]));
}

/** With a key, no champion is scored that `retrain verify` would refuse. */
function verifying(
  mlflow: Mlflow,
  publicKey: string | null,
  scratch: string,
  signal: AbortSignal,
): Verify | undefined {
  if (publicKey === null) return undefined;
  return (version) => checkModelFiles(mlflow, version, scratch, signal, publicKey);
}
