import type Docker from 'dockerode';
import { type ContainerInspectInfo } from 'dockerode';
import { setTimeout as sleep } from 'node:timers/promises';
import { RetrainError } from '../../contracts/errors';
import { type StageProgress } from '../../contracts/stage';
import { Bounds } from './bounds';
import { engineError, statusOf } from './engine-error';
import { milliseconds } from '../../contracts/duration';
import { ENDED_FROM_OUTSIDE } from './verdict';
import { type SecretMask } from './secret-mask';
import { StageLog } from './stage-log';

type State = ContainerInspectInfo['State'];

/** How it went out with a container. */
export type Ending =
  | { how: 'exited'; state: State; engineWasAway: boolean }
  /** It broke one of its bounds and was stopped. */
  | { how: 'broken'; error: RetrainError }
  /** Nobody wants its outcome any more; it was stopped. */
  | { how: 'cancelled' }
  /** It goes on without us. */
  | { how: 'detached' };

export interface Watched {
  engine: Docker;
  stage: string;
  out: string;
  logFile: string;
  diskBytes: number;
  disk: string;
  timeout?: string;
  stopSeconds: number;
  signal: AbortSignal;
  isCancelled(): boolean;
  onProgress(progress: StageProgress): void;
  onLog(line: string): void;
  /** The engine's address, for messages. */
  shown: string;
  /** Hides what the container was given from its log. */
  mask: SecretMask;
}

/** How long an engine may take to come back, in ms; then the attempt fails, and the next one waits again. */
const ENGINE_BACK_WITHIN_MS = 30_000;

/** How often the engine is asked, whatever else it says, in ms. */
const LOOK_MS = 5000;

/** Longer than an engine gives its containers before it ends them and itself: 10 s, and 5 s more, in ms. */
const ENGINE_STOPS_WITHIN_MS = 16_000;

/** How long the last lines of a log may take after the container has ended, in ms. */
const LOG_DRAIN_MS = 2000;

/** One container from its start, or from where it was found, to its end. */
export class RunningContainer {
  readonly log: StageLog;
  private engineWasAway = false;
  private logEnd: Promise<void> = Promise.resolve();
  private logEnded = false;
  private deadline: number | undefined;
  /** Ends the engine's open answers: of a container that goes on they would keep a process alive that wants to end. */
  private readonly hangUp = new AbortController();

  constructor(
    private readonly container: Docker.Container,
    private readonly watched: Watched,
  ) {
    this.log = new StageLog(watched.logFile, watched.mask, {
      line: (text) => watched.onLog(text),
      progress: (progress) => watched.onProgress({ ...progress, container: this.shortId }),
    });
  }

  private get shortId(): string {
    return this.container.id.slice(0, 12);
  }

  /** Starts it, unless it was found running or ended, and follows its log. */
  async start(found?: State): Promise<void> {
    if (found === undefined || found.Status === 'created') await this.container.start();
    this.watched.onProgress({ phase: 'running', container: this.shortId });
    const { timeout } = this.watched;
    if (timeout !== undefined) {
      const startedAt = found?.Running === true ? Date.parse(found.StartedAt) : Date.now();
      this.deadline = startedAt + milliseconds(timeout);
    }
    this.logEnd = this.followLog();
  }

  /** Waits for its end, or brings it about. The log is complete afterwards, except after a detachment. */
  async end(): Promise<Ending> {
    const { signal } = this.watched;
    const bounds = new Bounds(this.container, {
      ...this.watched,
      ...(this.deadline === undefined ? {} : { deadline: this.deadline }),
    });
    let onAbort: (() => void) | undefined;
    try {
      const ending = await Promise.race([
        this.exited(),
        new Promise<Ending>((resolve) => bounds.watch((error) => resolve({ how: 'broken', error }))),
        new Promise<Ending>((resolve) => {
          onAbort = () => resolve({ how: this.watched.isCancelled() ? 'cancelled' : 'detached' });
          if (signal.aborted) onAbort();
          else signal.addEventListener('abort', onAbort, { once: true });
        }),
      ]);
      if (ending.how === 'cancelled' || ending.how === 'broken') await this.stop();
      if (ending.how !== 'detached') {
        await Promise.race([this.logEnd, sleep(LOG_DRAIN_MS, undefined, { ref: false })]);
      }
      return ending;
    } catch (error) {
      // The engine is away for long: the container stays for the next attempt to find.
      throw engineError(error, `look after the container of ${this.watched.stage}`, this.watched.shown);
    } finally {
      bounds.stop();
      this.hangUp.abort();
      if (onAbort !== undefined) signal.removeEventListener('abort', onAbort);
      await this.log.close();
    }
  }

  /** Removes it and its volumes, whatever it does. One that cannot be removed now is swept later. */
  async remove(): Promise<void> {
    await this.container.remove({ force: true, v: true }).catch(() => undefined);
  }

  /** SIGTERM, and SIGKILL when that does not help in time. */
  private async stop(): Promise<void> {
    try {
      await this.container.stop({ t: this.watched.stopSeconds });
    } catch (error) {
      if (statusOf(error) === undefined) throw error;
      // 304: it has ended already; 404: it is gone.
    }
  }

  /**
   * The engine's own answer to a wait may never come: of a response that breaks off, the client hears nothing. So the end of the
   * log counts as a sign, too, and every few seconds the engine is asked.
   */
  private async exited(): Promise<Ending> {
    let signs = this.signsOfEnd();
    for (;;) {
      try {
        await Promise.race([...signs, sleep(LOOK_MS, undefined, { ref: false })]);
        if (this.hangUp.signal.aborted) return { how: 'detached' };
        const { State: state } = await this.container.inspect();
        if (!state.Running) {
          this.engineWasAway ||= await this.engineEndedIt(state);
          return { how: 'exited', state, engineWasAway: this.engineWasAway };
        }
        if (this.logEnded) {
          // Between the end of its log and its own; or the log's connection was lost.
          await sleep(100);
          signs = signs.slice(0, 1);
        }
      } catch (error) {
        if (this.hangUp.signal.aborted) return { how: 'detached' };
        if (statusOf(error) === 404) return { how: 'broken', error: this.removed() };
        if (statusOf(error) !== undefined) throw error;
        await this.engineBack(error);
        this.logEnd = this.followLog();
        signs = this.signsOfEnd();
      }
    }
  }

  private signsOfEnd(): Promise<unknown>[] {
    const ended = this.container.wait({ abortSignal: this.hangUp.signal }) as Promise<unknown>;
    return [ended, this.logEnd];
  }

  /**
   * Whether it was ended because the engine stops. An engine that stops ends its containers first and answers meanwhile, so it is
   * listened to until it falls silent, or for longer than it may take.
   */
  private async engineEndedIt({ ExitCode, OOMKilled }: State): Promise<boolean> {
    if (OOMKilled || !ENDED_FROM_OUTSIDE.has(ExitCode)) return false;
    this.watched.onProgress({ phase: 'ended from outside; asking the engine', container: this.shortId });
    const patience = new AbortController();
    try {
      const events = await this.watched.engine.getEvents({
        filters: { container: [this.container.id] },
        abortSignal: this.hangUp.signal,
      });
      const silent = new Promise<boolean>((resolve) => {
        for (const event of ['end', 'close', 'error']) events.on(event, () => resolve(true));
        events.resume();
      });
      const goesOn = sleep(ENGINE_STOPS_WITHIN_MS, false, { signal: patience.signal, ref: false });
      return await Promise.race([silent, goesOn.catch(() => false)]);
    } catch (error) {
      return statusOf(error) === undefined;
    } finally {
      patience.abort();
    }
  }

  private removed(): RetrainError {
    return new RetrainError(
      'STAGE_FAILED',
      `the container of ${this.watched.stage} was removed by somebody else while it ran`,
    );
  }

  /** @throws the connection's error when the engine stays away */
  private async engineBack(lost: unknown): Promise<void> {
    this.engineWasAway = true;
    this.watched.onProgress({ phase: 'the Docker engine is away', container: this.shortId });
    for (const until = Date.now() + ENGINE_BACK_WITHIN_MS; Date.now() < until;) {
      await sleep(250);
      if (this.watched.signal.aborted) return;
      const answer = await this.container.inspect().catch((error: unknown) => statusOf(error));
      if (answer !== undefined) return;
    }
    throw lost;
  }

  /** Resolves when the log has ended, with the container or with the connection. */
  private async followLog(): Promise<void> {
    const since = this.logEnded ? Math.floor(Date.now() / 1000) : 0;
    this.logEnded = false;
    try {
      const stream = await this.container.logs({
        follow: true,
        stdout: true,
        stderr: true,
        since,
        abortSignal: this.hangUp.signal,
      });
      (this.container.modem as Docker['modem']).demuxStream(stream, this.log.stdout, this.log.stderr);
      await new Promise<void>((resolve) => {
        for (const event of ['end', 'close', 'error']) stream.on(event, () => resolve());
      });
    } catch {
      // Without its log a stage can still do its work; what it says is then missing from the message.
    }
    this.logEnded = true;
  }
}
