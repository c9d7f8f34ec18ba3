import type Docker from 'dockerode';
import { access, chmod, chown } from 'node:fs/promises';
import path from 'node:path';
import { type ContainerOptions } from '../../contracts/container';
import { RetrainError } from '../../contracts/errors';
import { type StageProgress } from '../../contracts/stage';
import { stageErrorIn } from '../files/stage-error';
import { engineError, statusOf } from './engine-error';
import { exactImage } from './images';
import { takeOver } from './outputs';
import { type PathMap } from './path-map';
import { requireAllowed } from './policy';
import { RunningContainer, type Ending } from './running-container';
import { SecretMask } from './secret-mask';
import { type DockerSettings } from './settings';
import { Slots } from './slots';
import {
  containerName,
  containerSpec,
  DEFAULT_DISK,
  diskBytes,
  withDefaults,
  LABEL,
  type ContainerOwner,
} from './stage-container';
import { failureOf } from './verdict';

export interface ContainerRun {
  stage: string;
  /** Folder of the stage contract, absolute; in it the log is kept, as `stage.log`. */
  dir: string;
  options: ContainerOptions;
  /** Of the image that the run was started for: `sha256:…`. */
  digest: string;
  owner: ContainerOwner;
  /** That the container gets beside those of `options.env`, by name. */
  variables?: Readonly<Record<string, string>>;
  /** Lays out in/, out/ and params.json in an empty folder. Not called when a container that goes on is found. */
  prepare(): Promise<void>;
  signal: AbortSignal;
  /**
   * Whether an abort means that the work is not wanted any more. If not, it is only this worker that stops looking after it,
   * and the container goes on, for the next attempt to find.
   */
  isCancelled(): boolean;
  onProgress(progress: StageProgress): void;
  onLog(line: string): void;
}

export interface ContainerResult {
  /** From the container's start to its end, by the engine's clock, in ms. */
  durationMs: number;
  /** Kept log, to be read before the folder goes. */
  logFile: string;
}

/** Thrown when this worker stops looking after a container that goes on: its folder must stay. */
export class StageDetached extends Error {
  override readonly name = 'StageDetached';
}

/** Grace between SIGTERM and SIGKILL, in seconds. */
const STOP_SECONDS = 5;

export interface ExecutorDeps {
  engine: Docker;
  settings: DockerSettings;
  paths: PathMap;
  /** See `StageContainer.scope`. */
  scope: string;
  env: Readonly<Record<string, string | undefined>>;
}

/**
 * Runs stages in containers.
 *
 * Idempotent by name: an activity has one container, whose name the engine accepts once. Whoever finds it there (an
 * attempt after the worker died, a create whose answer was lost) takes it on as it is: waiting, running, or ended well. It is removed
 * once its outcome is known, so one that is there is one whose outcome nobody has had.
 */
export class ContainerExecutor {
  private readonly slots: Slots;
  private readonly running = new Set<string>();

  constructor(private readonly deps: ExecutorDeps) {
    this.slots = new Slots(deps.settings.concurrency);
  }

  /** Names of the containers that this worker looks after now. */
  get active(): ReadonlySet<string> {
    return this.running;
  }

  /**
   * Runs one stage to its end.
   *
   * @throws RetrainError CONTAINER_REFUSED, IMAGE_NOT_FOUND, CODE_MISMATCH, DOCKER_UNREACHABLE, DOCKER_REFUSED,
   * STAGE_OUT_OF_MEMORY, STAGE_TIMED_OUT, STAGE_UNSAFE, STAGE_FAILED, or what the stage left in out/error.json; StageDetached; the
   * signal's reason once the container is gone
   */
  async run(asked: ContainerRun): Promise<ContainerResult> {
    const { settings } = this.deps;
    requireAllowed(asked.stage, asked.options, settings);
    const run = { ...asked, options: withDefaults(asked.options, settings.most) };
    const giveBack = await this.slots.take(run.signal, () =>
      run.onProgress({ phase: 'waiting for a free container slot' }),
    );
    const name = containerName(run.owner);
    this.running.add(name);
    try {
      return await this.runNow(run);
    } finally {
      this.running.delete(name);
      giveBack();
    }
  }

  private async runNow(run: ContainerRun): Promise<ContainerResult> {
    const { settings } = this.deps;
    run.onProgress({ phase: 'starting a container' });
    let container: RunningContainer;
    try {
      container = await this.findOrStart(run);
    } catch (error) {
      throw engineError(error, `start the container of ${run.stage}`, settings.shown);
    }
    const ending = await container.end();
    if (ending.how === 'detached') throw new StageDetached(`${run.stage} goes on in its container`);
    try {
      return await this.settle(run, ending, container);
    } finally {
      await container.remove();
    }
  }

  private async settle(
    run: ContainerRun,
    ending: Exclude<Ending, { how: 'detached' }>,
    container: RunningContainer,
  ): Promise<ContainerResult> {
    if (ending.how === 'cancelled') throw run.signal.reason;
    if (ending.how === 'broken') throw ending.error;
    const { state, engineWasAway } = ending;
    if (state.ExitCode !== 0 || state.OOMKilled) {
      const said = state.OOMKilled ? null : await stageErrorIn(run.dir);
      const own = said === null ? null : new RetrainError(said.code, this.maskOf(run).text(said.message));
      const { memory, disk = DEFAULT_DISK, network = 'none', image } = run.options;
      throw (
        own ??
        failureOf({
          stage: run.stage,
          image,
          memory: memory ?? `${Math.round(this.deps.settings.memoryBytes / 1024 ** 2)}m`,
          disk,
          network,
          state,
          tail: container.log.tail,
          engineWasAway,
        })
      );
    }
    await takeOver(path.join(run.dir, 'out'), run.stage);
    return {
      durationMs: Math.max(0, Date.parse(state.FinishedAt) - Date.parse(state.StartedAt)),
      logFile: container.log.path,
    };
  }

  /** Takes on the activity's container if there is one, or makes it. */
  private async findOrStart(run: ContainerRun): Promise<RunningContainer> {
    const found = await this.find(run);
    if (found !== undefined) {
      run.onProgress({ phase: 'found its running container' });
      return found;
    }
    const { engine, settings, paths, scope, env } = this.deps;
    const image = await exactImage(engine, run.options.image, run.digest, settings);
    await run.prepare();
    const user = run.options.user ?? settings.user ?? (await this.defaultUser());
    await this.handOver(run.dir, user);
    run.signal.throwIfAborted();
    const spec = containerSpec({
      ...run,
      image,
      scope,
      hostDir: paths.toEngine(run.dir),
      user,
      memoryBytes: settings.memoryBytes,
      env,
    });
    try {
      return await this.start(await engine.createContainer(spec), run);
    } catch (error) {
      // The name is taken: an earlier create came through after all.
      const made = statusOf(error) === 409 ? await this.find(run) : undefined;
      if (made === undefined) throw error;
      return made;
    }
  }

  private async find(run: ContainerRun): Promise<RunningContainer | undefined> {
    const container = this.deps.engine.getContainer(containerName(run.owner));
    let info: Docker.ContainerInspectInfo;
    try {
      info = await container.inspect();
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw error;
    }
    const usable =
      info.Config.Labels[LABEL.dir] === run.dir &&
      (info.State.Running || info.State.Status === 'created' || info.State.ExitCode === 0) &&
      (await exists(path.join(run.dir, 'params.json')));
    if (usable) return this.start(this.deps.engine.getContainer(info.Id), run, info);
    await container.remove({ force: true, v: true });
    return undefined;
  }

  private async start(
    container: Docker.Container,
    run: ContainerRun,
    found?: Docker.ContainerInspectInfo,
  ): Promise<RunningContainer> {
    const { stage, options } = run;
    const running = new RunningContainer(container, {
      ...run,
      engine: this.deps.engine,
      out: path.join(run.dir, 'out'),
      logFile: path.join(run.dir, 'stage.log'),
      diskBytes: diskBytes(stage, options),
      disk: options.disk ?? DEFAULT_DISK,
      stopSeconds: STOP_SECONDS,
      mask: this.maskOf(run),
      shown: this.deps.settings.shown,
      ...(options.timeout === undefined ? {} : { timeout: options.timeout }),
    });
    try {
      await running.start(found?.State);
    } catch (error) {
      await running.remove();
      throw error;
    }
    return running;
  }

  private maskOf({ options }: ContainerRun): SecretMask {
    return new SecretMask(options.env, this.deps.env);
  }

  /** The worker's own user, so that both can read and write; for a root worker, nobody in particular. */
  private async defaultUser(): Promise<string> {
    const uid = process.getuid?.() ?? 0;
    const info = (await this.deps.engine.info()) as { SecurityOptions?: string[] | null };
    // In a rootless engine, 0 is the very user that runs it, and has no more rights than they have.
    if (info.SecurityOptions?.some((option) => option.includes('rootless')) === true) return '0:0';
    return uid === 0 ? NOBODY : `${uid}:${process.getgid?.() ?? uid}`;
  }

  /** Lets the container's user read in/ and write out/. */
  private async handOver(dir: string, user: string): Promise<void> {
    const [uid = 0, gid = uid] = user.split(':').map(Number);
    await Promise.all([
      chmod(path.join(dir, 'in'), 0o755),
      chmod(path.join(dir, 'params.json'), 0o644),
      ...(process.getuid?.() === 0 ? [chown(path.join(dir, 'out'), uid, gid)] : []),
    ]);
  }
}

const NOBODY = '65532:65532';

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
