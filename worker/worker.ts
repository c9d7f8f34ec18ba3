import { Client } from '@temporalio/client';
import { NativeConnection, Worker, type Logger } from '@temporalio/worker';
import { FailureInterceptor } from '../activities/failure-interceptor';
import { ProjectGuard } from '../activities/project-guard';
import { SpecGuard } from '../activities/spec-guard';
import { RetrainError } from '../contracts/errors';
import { projectIdentity } from '../pipeline/run/project-identity';
import { readStageCode } from '../pipeline/stage-code';
import { connect } from '../temporal/connect';
import { lastPoll, refuseForeignQueue, untilPolling, workerIdentity } from '../temporal/project-queue';
import { ensureSearchAttributes } from '../temporal/search-attributes';
import { whenServing } from '../temporal/when-serving';
import { answerBySteward, type ApprovalHook, openApprovalHook } from './approval-hook';
import { createActivities, createServices, type Services } from './compose';
import { closeRunsNowAndThen } from './open-runs';
import { type Checks } from './health';
import { healthChecks } from './health-checks';
import { type WorkerConfig } from './config';
import { productVersion } from './library-versions';
import { activityObserver } from './telemetry/activity-observer';
import { watchOutside } from './telemetry/outside';
import { RetryReasons } from './telemetry/retry-reasons';
import { workflowSinks } from './telemetry/workflow-sinks';
import { WorkerMetrics } from './telemetry/worker-metrics';

export interface RunningWorker {
  /** Takes no new work, and gives what is going on a few seconds to end. */
  shutdown(): void;
  /** Resolves when everything is closed. */
  done: Promise<void>;
  /** Looks at what it needs to go on: see `healthChecks`. */
  checks: Checks;
  /** Brings those of its metrics up to date that are read off elsewhere. */
  refreshMetrics(): Promise<void>;
}

/**
 * How long running activities may go on after a shutdown was asked for. Stages that take longer are cut off
 * and done again by the next worker: nothing they leave behind counts.
 */
const GRACE = '5 seconds';

/** Hand-overs wait in an activity each, so there must be room for many; what computes is bounded by its threads. */
const MAX_ACTIVITIES = 500;

/**
 * Connects everything and starts polling.
 *
 * @param wrap A seam for tests: the outside systems that the activities get, which a test may make fail.
 * @param metrics where it counts what it does
 * @throws RetrainError TEMPORAL_UNREACHABLE, CONFIG_INVALID
 */
export async function startWorker(
  config: WorkerConfig,
  logger: Logger,
  wrap: (services: Services) => Services = (services) => services,
  metrics: WorkerMetrics = new WorkerMetrics(),
): Promise<RunningWorker> {
  const { temporal, taskQueue } = config;
  const connection = await connect(temporal);
  await whenServing(temporal.address, () => ensureSearchAttributes(connection, temporal.namespace), {
    onAway: (reason) => void logger.warn('Temporal does not answer yet', { reason }),
    onBack: () => void logger.info('Temporal answers'),
  });
  const client = new Client({ connection, namespace: temporal.namespace });
  const native = await connectNative(config);
  const code = await readStageCode(config.stageCodeFile);
  const identity = await projectIdentity(config.project, config.stateDir, config.stageEnv);
  await refuseForeignQueue(client, taskQueue, identity);
  // Sweeps what killed workers left behind.
  const services = wrap(await createServices(config, identity, client, code, logger));
  const outside = watchOutside(services.mlflow, metrics, logger);
  const worker = await Worker.create({
    connection: native,
    namespace: temporal.namespace,
    taskQueue,
    identity: workerIdentity(identity),
    workflowBundle: { codePath: config.workflowBundle },
    activities: createActivities(services),
    sinks: workflowSinks(metrics),
    interceptors: {
      activity: [
        activityObserver({
          metrics,
          reasons: new RetryReasons(client),
          onFailure: (code, reason) => {
            if (code === 'MLFLOW_UNREACHABLE') outside.mlflow.away(reason);
          },
        }),
        () => ({ inbound: new FailureInterceptor(config.stateDir) }),
        () => ({ inbound: new ProjectGuard(identity, taskQueue) }),
        () => ({ inbound: new SpecGuard() }),
      ],
    },
    maxConcurrentActivityTaskExecutions: MAX_ACTIVITIES,
    // A cancellation reaches an activity with the answer to a heartbeat: a second, not the default's 8 to 60.
    maxHeartbeatThrottleInterval: '1 second',
    defaultHeartbeatThrottleInterval: '1 second',
    shutdownGraceTime: GRACE,
  });
  metrics.worker({ version: productVersion(), taskQueue });
  metrics.channelsKnown(services.channels.map(({ name }) => name));
  const hook = await openHook(config, client, logger);
  const done = worker.run().finally(async () => {
    outside.close();
    await hook?.close();
    await services.close();
    await native.close();
    await connection.close();
  });
  try {
    // Looked at again: two projects may have found the queue free at the same moment.
    await untilPolling(client, taskQueue, identity);
    await refuseForeignQueue(client, taskQueue, identity);
  } catch (error) {
    worker.shutdown();
    await done;
    throw error;
  }
  const leaveRuns = closeRunsNowAndThen(client, services.mlflow, logger);
  const { checks, stop } = healthChecks({
    lastPoll: () => lastPoll(client, taskQueue, identity),
    stageLoad: () => services.stageLoad(),
    folders: [config.stateDir, services.store.cacheDir],
  });
  void done
    .finally(() => {
      leaveRuns();
      stop();
    })
    .catch(() => undefined);
  return {
    shutdown: () => worker.shutdown(),
    done,
    checks,
    refreshMetrics: () => outside.refresh(),
  };
}

/** Before the worker polls: an address that is taken is said at once. */
async function openHook(
  { approvals, taskQueue, temporal }: WorkerConfig,
  client: Client,
  logger: Logger,
): Promise<ApprovalHook | null> {
  if (approvals === null) return null;
  const hook = await openApprovalHook(
    approvals,
    answerBySteward(client, taskQueue, temporal.address),
    logger,
  );
  logger.info('signed answers are taken', { url: hook.url });
  return hook;
}

async function connectNative({ temporal }: WorkerConfig): Promise<NativeConnection> {
  const { address, tls, apiKey, metadata } = temporal.connection;
  try {
    return await NativeConnection.connect({
      address,
      ...(tls == null ? {} : { tls }),
      ...(apiKey === undefined ? {} : { apiKey }),
      ...(metadata === undefined ? {} : { metadata: metadata }),
    });
  } catch (cause) {
    throw new RetrainError(
      'TEMPORAL_UNREACHABLE',
      `no Temporal server answers at ${address} (${(cause as Error).message}); start one with \`retrain up\`, or correct TEMPORAL_ADDRESS`,
      { cause },
    );
  }
}
