import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { type Logger } from '@temporalio/worker';
import type Docker from 'dockerode';
import { existsSync } from 'node:fs';
import { ContainerStages } from '../activities/container-stages';
import { type ContainerOptions } from '../contracts/container';
import { RetrainError } from '../contracts/errors';
import { connectExecutor } from '../integrations/docker/connect-executor';
import {
  type ContainerExecutor,
  type ContainerResult,
  type ContainerRun,
} from '../integrations/docker/container-executor';
import { imageDigest } from '../integrations/docker/images';
import { sweepOrphans } from '../integrations/docker/orphans';
import { requireAllowed } from '../integrations/docker/policy';
import { type ContainerOwner } from '../integrations/docker/stage-container';
import { namespaceId } from '../temporal/namespace-id';
import { type WorkerConfig } from './config';

/** How often orphans are looked for, beside the start: soon enough for a run that was terminated. */
const SWEEP_EVERY_MS = 60_000;

/**
 * What a worker has to do with containers. The engine is connected when the first stage asks for it, or at the start
 * if it is there: a worker without Docker runs everything else.
 */
export class Containers {
  private opened: Promise<Docker> | undefined;
  private connecting: Promise<ContainerExecutor> | undefined;
  private executor: ContainerExecutor | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly config: WorkerConfig,
    private readonly client: Client,
    private readonly logger: Logger,
  ) {}

  /** The activities' side. @param keepLog see `ContainerStagesDeps` */
  stages(keepLog: (mlflowRunId: string, path: string, file: string) => Promise<void>): ContainerStages {
    return new ContainerStages({ executor: { run: (run) => this.run(run) }, keepLog });
  }

  /**
   * See `imageDigest`; nothing is looked for on behalf of a stage that would not be run.
   *
   * @throws RetrainError CONTAINER_REFUSED as well
   */
  async digestOf(image: string, stage: string, options: ContainerOptions): Promise<string> {
    requireAllowed(stage, options, this.config.docker);
    return imageDigest(await this.engine(), image, this.config.docker);
  }

  /**
   * Removes containers that nobody waits for: dead workers and ended runs left them.
   *
   * @returns folders that containers work in; undefined when that is not known
   * @throws RetrainError CONFIG_INVALID for a worker in a container that no stage could share a folder with
   */
  async start(): Promise<readonly string[] | undefined> {
    const { docker } = this.config;
    let kept: readonly string[] | undefined;
    if (this.expected()) {
      try {
        kept = await this.sweep();
      } catch (error) {
        if (!(error instanceof RetrainError) || error.code !== 'DOCKER_UNREACHABLE') throw error;
        this.logger.warn('no Docker engine; container stages wait for it', { engine: docker.shown });
      }
    }
    this.timer = setInterval(() => void this.sweepAgain(), SWEEP_EVERY_MS);
    this.timer.unref();
    return kept;
  }

  close(): void {
    clearInterval(this.timer);
  }

  private async run(run: ContainerRun): Promise<ContainerResult> {
    return (await this.connected()).run(run);
  }

  /** Its client is a tenth of all that a worker loads, and most never ask an engine. */
  private engine(): Promise<Docker> {
    this.opened ??= import('../integrations/docker/engine.js').then(({ createEngine }) =>
      createEngine(this.config.docker),
    );
    return this.opened;
  }

  private connected(): Promise<ContainerExecutor> {
    this.connecting ??= this.connect().catch((error: unknown) => {
      this.connecting = undefined;
      throw error;
    });
    return this.connecting;
  }

  private async connect(): Promise<ContainerExecutor> {
    const { docker: settings, scratchDir, stageEnv: env } = this.config;
    const scope = await this.scope();
    this.executor = await connectExecutor(await this.engine(), { settings, scratchDir, scope, env });
    return this.executor;
  }

  private async sweep(): Promise<string[]> {
    const executor = await this.connected();
    const { kept, removed } = await sweepOrphans(
      await this.engine(),
      await this.scope(),
      this.config.scratchDir,
      (owner) => this.isPending(owner),
      executor.active,
    );
    if (removed > 0) this.logger.info('orphaned containers removed', { removed });
    return kept;
  }

  private async sweepAgain(): Promise<void> {
    if (this.executor === undefined) return;
    await this.sweep().catch((error: unknown) => {
      this.logger.warn('orphaned containers not looked for', { reason: String(error) });
    });
  }

  /** Whether somebody meant this worker to have an engine: else that there is none is no news. */
  private expected(): boolean {
    const { engine } = this.config.docker;
    return engine.kind !== 'unix' || existsSync(engine.socketPath);
  }

  private scope(): Promise<string> {
    return namespaceId(this.client);
  }

  private async isPending({ workflowId, workflowRunId, activityId }: ContainerOwner): Promise<boolean> {
    try {
      const { status, raw } = await this.client.workflow.getHandle(workflowId, workflowRunId).describe();
      return (
        status.name === 'RUNNING' &&
        (raw.pendingActivities ?? []).some((activity) => activity.activityId === activityId)
      );
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return false;
      // The server is away: nothing is known, so nothing is removed.
      return true;
    }
  }
}
