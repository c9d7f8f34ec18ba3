import path from 'node:path';
import { type Client } from '@temporalio/client';
import { type Logger } from '@temporalio/worker';
import { createAlarmActivities } from '../activities/alarm-activities';
import { createAskActivities } from '../activities/ask-activities';
import { createBatchActivities } from '../activities/batch-activities';
import { createCollectActivities } from '../activities/collect-activities';
import { createComputeActivities } from '../activities/compute-activities';
import { createHandoverActivities } from '../activities/handover-activities';
import { createNoticeActivities } from '../activities/notice-activities';
import { createProjectActivities, type ProjectDeps, resolveSpec } from '../activities/project-activities';
import { createQueueActivities } from '../activities/queue-activities';
import { createRegistrationActivities } from '../activities/registration-activities';
import { createStewardActivities } from '../activities/steward-activities';
import { createTrackingActivities } from '../activities/tracking-activities';
import { createWatchActivities } from '../activities/watch-activities';
import { StageExecutions, type StageExecutor } from '../activities/stage-executions';
import { WorkspaceView } from '../pipeline/workspace/workspace-view';
import { type NoticeActivities, type PipelineActivities } from '../contracts/activities';
import { type AlarmActivities } from '../contracts/alarm';
import { type BatchActivities } from '../contracts/batch-prediction';
import { type WatchActivities } from '../contracts/watch';
import { evidencePath } from '../contracts/evidence';
import { type CollectActivities } from '../contracts/collect';
import { type StewardActivities } from '../contracts/steward';
import { type Notice } from '../contracts/notice';
import { type ProjectIdentity } from '../contracts/project-identity';
import { type RunSpec, type TrainingResult } from '../contracts/run';
import { ContentStore } from '../integrations/dvc/content-store';
import { readDvcConfig } from '../integrations/dvc/dvc-config';
import { openNamedRemote } from '../pipeline/open-remote';
import { createMlflow, type Mlflow } from '../integrations/mlflow/client';
import { createSourceClient, type SourceClient } from '../integrations/http-source/source-client';
import { type NoticeChannel } from '../integrations/notify/channel';
import { channelsFrom } from '../integrations/notify/channels';
import { type ObjectStorage } from '../integrations/files/object-storage';
import { contentStoreDir } from '../pipeline/content-store-dir';
import { startSecret } from '../pipeline/run/start-seal';
import { type StageCode } from '../pipeline/stage-code';
import { StageResults } from '../pipeline/results/stage-results';
import { tableScorer } from '../serving/batch/score-table';
import { checkDrift } from '../serving/watch/check-drift';
import { type DriftDeps } from '../serving/watch/drift-question';
import { InProcessExecutor } from '../stages/in-process';
import { namespaceId } from '../temporal/namespace-id';
import { workflowUrl } from '../temporal/web-ui';
import { type WorkerConfig } from './config';
import { Containers } from './containers';
import { libraryVersions, productVersion } from './library-versions';
import { takeScratch } from './scratch';

/** The outside systems that activities work with. A test that makes one fail wraps it here. */
export interface Services {
  config: WorkerConfig;
  identity: ProjectIdentity;
  /** See `namespaceId`. */
  temporalNamespaceId: string;
  client: Client;
  mlflow: Mlflow;
  store: ContentStore;
  results: StageResults;
  workspace: WorkspaceView;
  executor: StageExecutor;
  /** Threads for stages, and how many of them are at work. */
  stageLoad(): { threads: number; busy: number };
  containers: Pick<Containers, 'stages' | 'digestOf'>;
  /** See `Scratch.dir`. */
  scratchDir: string;
  channels: readonly NoticeChannel[];
  /** Asks the sources of `collect` that are HTTP. */
  sources: SourceClient;
  code: StageCode;
  close(): Promise<void>;
}

export async function createServices(
  config: WorkerConfig,
  identity: ProjectIdentity,
  client: Client,
  code: StageCode,
  logger: Logger,
): Promise<Services> {
  const mlflow = createMlflow(config.mlflow);
  const store = new ContentStore(await contentStoreDir(config.project, config.cache));
  const results = new StageResults(store, {
    project: config.project,
    ...(config.sharedCache === null ? {} : { shared: sharedCache(config, config.sharedCache) }),
    onTrouble: (what, error) => {
      logger.warn(`${what} failed; the stage runs`, { reason: String(error) });
    },
  });
  const sources = createSourceClient(config.collect);
  const executor = new InProcessExecutor({
    threadEntry: config.threadEntry,
    threads: config.threads,
    limits: config.stageLimits,
  });
  const containers = new Containers(config, client, logger);
  const [scratch, temporalNamespaceId] = await Promise.all([
    containers.start().then((kept) =>
      takeScratch(config.scratchDir, kept, (what, error) => {
        logger.warn('left over folder not removed', { what, reason: String(error) });
      }),
    ),
    namespaceId(client),
    executor.warmUp(),
    store.sweep(),
  ]);
  return {
    config,
    identity,
    temporalNamespaceId,
    client,
    mlflow,
    store,
    results,
    workspace: new WorkspaceView(config.project, store, code, (error) => {
      logger.warn('workspace not written', { reason: String(error) });
    }),
    executor,
    stageLoad: () => executor.load(),
    containers,
    scratchDir: scratch.dir,
    channels: channelsFrom(config.notices),
    sources,
    code,
    close: async () => {
      containers.close();
      await Promise.all([executor.close(), mlflow.close(), sources.close()]);
      await scratch.release();
    },
  };
}

export function createActivities(
  services: Services,
): PipelineActivities &
  NoticeActivities &
  StewardActivities &
  BatchActivities &
  AlarmActivities &
  WatchActivities &
  CollectActivities {
  const { config, client, mlflow, store, results, workspace, executor, containers, channels, code } =
    services;
  const { identity, scratchDir, temporalNamespaceId } = services;
  const { project, taskQueue, temporal } = config;
  const secret = startSecret(config.stateDir, config.stageEnv);
  const findFinished = async ({ params, pipelineKey }: RunSpec): Promise<TrainingResult | null> => {
    const experimentId = await mlflow.experiments.find(params.experiment);
    if (experimentId === null) return null;
    return (await mlflow.runs.findFinished(experimentId, pipelineKey))?.result ?? null;
  };
  const projectDeps: ProjectDeps = {
    project,
    identity,
    code,
    imageDigest: (...asked) => containers.digestOf(...asked),
    startSecret: secret,
  };
  const projectActivities = createProjectActivities(projectDeps);
  const executions = new StageExecutions(
    executor,
    containers.stages((runId, path, file) => keepLog(mlflow, runId, path, file)),
    { own: scratchDir, shared: config.scratchDir },
  );
  return {
    ...projectActivities,
    ...createCollectActivities({
      ...{ project, identity, client, taskQueue, findFinished, ...projectActivities },
      ...{ address: temporal.address, sources: services.sources, clock: Date.now },
      containers: {
        env: config.stageEnv,
        digestOf: (...asked) => containers.digestOf(...asked),
        place: ({ who, ...container }) => executions.of(who, container, undefined),
      },
    }),
    ...createAlarmActivities({
      client,
      address: temporal.address,
      taskQueue,
      mlflow,
      findFinished,
      resolve: (params, alarm, signal) => resolveSpec(projectDeps, { params, alarm }, signal),
    }),
    ...createWatchActivities({
      client,
      address: temporal.address,
      taskQueue,
      drift: {
        ...{ project, mlflow, store, publicKey: config.publicKey },
        remote: defaultRemote(config),
        shelf: { mlflow: config.mlflow, dir: path.join(config.stateDir, 'serving', 'models') },
        predictions: path.join(config.stateDir, 'predictions'),
      },
      checkDrift,
    }),
    ...createQueueActivities({ client }),
    ...createHandoverActivities({ client, address: temporal.address, taskQueue, findFinished }),
    ...createAskActivities({
      client,
      address: temporal.address,
      taskQueue,
      project: identity,
      mlflow,
      store,
    }),
    ...createStewardActivities({ mlflow, store, scratchDir, publicKey: config.publicKey }),
    ...createTrackingActivities({
      project,
      scratchDir,
      publicKey: config.publicKey,
      startSecret: secret,
      mlflow,
      store,
      computing: { stageCode: code.stages, versions: libraryVersions(), temporalNamespaceId },
      channels: channels.map(({ name }) => name),
      workspace,
    }),
    ...createComputeActivities({
      project,
      store,
      results,
      executions,
      code,
      startSecret: secret,
    }),
    ...createRegistrationActivities({
      mlflow,
      store,
      scratchDir,
      signingKey: config.signingKey,
      version: productVersion(),
    }),
    ...createNoticeActivities({ channels, links: (notice) => noticeLinks(services, notice) }),
    ...createBatchActivities({
      project,
      mlflow,
      scoreTable: tableScorer({
        ...{ project, mlflow: config.mlflow, publicKey: config.publicKey },
        shelf: path.join(config.stateDir, 'serving'),
      }),
    }),
  };
}

/** Opens the remote when it is first asked for; one that cannot be opened is tried again. */
function sharedCache({ project, stageEnv: env }: WorkerConfig, name: string): () => Promise<ObjectStorage> {
  let opened: Promise<ObjectStorage> | undefined;
  return () => {
    opened ??= readDvcConfig(path.join(project, '.dvc')).then((dvc) => openNamedRemote(dvc, env, name));
    opened.catch(() => {
      opened = undefined;
    });
    return opened;
  };
}

/** The project's own remote, for what is not in the store; null: it has none. */
function defaultRemote({ project, stageEnv: env }: WorkerConfig): DriftDeps['remote'] {
  return async () => {
    const dvc = await readDvcConfig(path.join(project, '.dvc'));
    if (dvc.defaultRemote === undefined) return null;
    return { name: dvc.defaultRemote, storage: await openNamedRemote(dvc, env) };
  };
}

async function keepLog(mlflow: Mlflow, runId: string, path: string, file: string): Promise<void> {
  const { artifactUri } = await mlflow.runs.get(runId);
  await mlflow.artifacts.uploadFile(artifactUri, path, file);
}

function noticeLinks({ config, mlflow }: Services, notice: Notice): Notice['links'] {
  const { uiUrl, namespace } = config.temporal;
  return {
    ...(uiUrl === null
      ? {}
      : { temporal: workflowUrl(uiUrl, namespace, notice.workflowId, notice.workflowRunId) }),
    ...(notice.mlflowRunId === undefined || notice.mlflowExperimentId === undefined
      ? {}
      : evidenceLinks(mlflow, notice, notice.mlflowExperimentId, notice.mlflowRunId)),
  };
}

function evidenceLinks(
  { links }: Mlflow,
  { evidence }: Notice,
  experimentId: string,
  runId: string,
): Pick<Notice['links'], 'mlflow' | 'evidence'> {
  return {
    mlflow: links.run(experimentId, runId),
    ...(evidence === undefined
      ? {}
      : { evidence: links.artifact(experimentId, runId, evidencePath(evidence, 'html')) }),
  };
}
