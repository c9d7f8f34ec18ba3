import { setTimeout as sleep } from 'node:timers/promises';
import { RetrainError } from '../../contracts/errors';
import { removePidFile, runningFrom, writePidFile, type PidRecord } from './pid-file';
import { isPortFree, portHolder } from './ports';
import type { Progress } from './progress';
import { endGroup, launch, untilHealthy, type ServerCommand } from './server-process';
import type { StackPort } from './stack-settings';

/** A part of the stack that we start and stop. */
export interface Service {
  /** In progress and messages: `MLflow`. */
  title: string;
  pidFile: string;
  logFile: string;
  ports: StackPort[];
  /** What it would be started with now. */
  fingerprint: string;
  /** Whether a running one with another fingerprint is replaced; otherwise that is an error. */
  replaceable: boolean;
  /** How to start it; installs what it needs. */
  command(): Promise<ServerCommand>;
  healthy(signal: AbortSignal, pid: number): Promise<boolean>;
  /** What differs from a running one with another fingerprint, for people. */
  differs?(running: string): string;
  /** Called once it runs and is healthy. */
  onStarted?(): void;
  /** How long a healthy start may take. */
  startTimeoutMs: number;
  /** How long it may take to end in order. */
  stopTimeoutMs: number;
}

export type ServiceState = 'started' | 'already running' | 'restarted';

/** One that runs but does not answer is given this long: the machine may be busy. */
const RECOVERY_MS = 10_000;

/**
 * Refuses before anything is started: so a port that one part cannot have leaves no other part running.
 *
 * @throws RetrainError PORT_TAKEN; CONFIG_INVALID when a part runs with other settings and cannot be replaced
 */
export async function requireStartable(services: readonly Service[]): Promise<void> {
  for (const service of services) {
    const running = runningFrom(service.pidFile);
    if (running === null) for (const port of service.ports) await refuseTaken(service, port);
    else refuseOtherSettings(service, running);
  }
}

/**
 * Makes sure that a part of the stack runs and is healthy; does only what is missing.
 *
 * @throws RetrainError PORT_TAKEN, TOOL_MISSING, SERVICE_DIED; CONFIG_INVALID when it runs with other settings
 */
export async function ensureRunning(
  service: Service,
  progress: Progress,
): Promise<{ pid: number; state: ServiceState; why?: string }> {
  const running = runningFrom(service.pidFile);
  if (running === null) return { pid: await start(service, progress), state: 'started' };
  if (running.fingerprint === service.fingerprint) {
    if (await recovers(service, running)) return { pid: running.pid, state: 'already running' };
    return restart(service, progress, 'it is not well, or does not answer');
  }
  refuseOtherSettings(service, running);
  return restart(service, progress, service.differs?.(running.fingerprint) ?? 'its settings changed');
}

async function restart(
  service: Service,
  progress: Progress,
  why: string,
): Promise<{ pid: number; state: ServiceState; why: string }> {
  progress.update(service.title, `starting it again: ${why}`);
  await stopService(service);
  return { pid: await start(service, progress), state: 'restarted', why };
}

/**
 * Ends a part of the stack and waits until nothing of it is left.
 *
 * @returns whether it was running
 */
export async function stopService(service: Pick<Service, 'pidFile' | 'stopTimeoutMs'>): Promise<boolean> {
  const running = runningFrom(service.pidFile);
  if (running !== null) await endGroup(running.pid, service.stopTimeoutMs);
  removePidFile(service.pidFile);
  return running !== null;
}

async function start(service: Service, progress: Progress): Promise<number> {
  const command = await service.command();
  // Looked at last, as installing may have taken minutes.
  for (const port of service.ports) await refuseTaken(service, port);
  progress.update(service.title, 'starting');
  const child = await launch(command);
  writePidFile(service.pidFile, child.pid, service.fingerprint);
  try {
    await untilHealthy({
      title: service.title,
      logFile: service.logFile,
      healthy: (signal) => service.healthy(signal, child.pid),
      alive: () => child.exitCode === null && child.signalCode === null,
      timeoutMs: service.startTimeoutMs,
    });
  } catch (error) {
    await endGroup(child.pid, service.stopTimeoutMs);
    removePidFile(service.pidFile);
    throw error;
  }
  service.onStarted?.();
  return child.pid;
}

async function recovers(service: Service, { pid }: PidRecord): Promise<boolean> {
  const deadline = Date.now() + RECOVERY_MS;
  while (Date.now() < deadline && runningFrom(service.pidFile) !== null) {
    const healthy = await service.healthy(AbortSignal.timeout(10_000), pid).catch(() => false);
    if (healthy) return true;
    await sleep(200);
  }
  return false;
}

function refuseOtherSettings({ title, replaceable, fingerprint }: Service, running: PidRecord): void {
  if (replaceable || running.fingerprint === fingerprint) return;
  throw new RetrainError(
    'CONFIG_INVALID',
    `${title} already runs with other settings (${running.fingerprint}, asked for ${fingerprint}); run \`retrain down\` first`,
  );
}

async function refuseTaken(service: Service, { port, flag, variable }: StackPort): Promise<void> {
  if (await isPortFree(port)) return;
  const holder = portHolder(port);
  const by = holder === null ? 'another program' : `${holder.program} (process ${holder.pid})`;
  throw new RetrainError(
    'PORT_TAKEN',
    `port ${port} on 127.0.0.1, which ${service.title} needs, is taken by ${by}; stop that, or choose another port with ${flag} or ${variable}`,
  );
}
