import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { RetrainError } from '../../contracts/errors';
import { putAside } from '../../integrations/files/log-rotation';
import { PRIVATE_FILE } from '../../integrations/files/state-folder';
import { groupMembers } from './process-table';
import { type Environment } from '../../integrations/files/dot-env';

export interface ServerCommand {
  /** What messages call it: `MLflow`. */
  title: string;
  command: string;
  args: string[];
  cwd: string;
  env: Environment;
  /** Its output goes here; those of the starts before are kept beside it: see `putAside`. */
  logFile: string;
  /** Rights that the files it makes do not have; default: ours. */
  umask?: number;
}

/**
 * Starts a server in a process group of its own, which outlives us, with its output in a fresh log file.
 *
 * @throws RetrainError SERVICE_DIED when the program cannot be executed
 */
export async function launch(server: ServerCommand): Promise<ChildProcess & { pid: number }> {
  mkdirSync(dirname(server.logFile), { recursive: true });
  putAside(server.logFile);
  const log = openSync(server.logFile, 'a', PRIVATE_FILE);
  const child = withUmask(server.umask, () =>
    spawn(server.command, server.args, {
      cwd: server.cwd,
      env: server.env,
      detached: true,
      stdio: ['ignore', log, log],
    }),
  );
  closeSync(log);
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (error) => {
      reject(
        new RetrainError('SERVICE_DIED', `${server.title} cannot be started: ${error.message}`, {
          cause: error,
        }),
      );
    });
  });
  child.unref();
  return child as ChildProcess & { pid: number };
}

/** A child has its parent's umask of the moment at which it is made. */
function withUmask<T>(umask: number | undefined, make: () => T): T {
  if (umask === undefined) return make();
  const before = process.umask(umask);
  try {
    return make();
  } finally {
    process.umask(before);
  }
}

export interface HealthWait {
  title: string;
  logFile: string;
  /** Answers whether the server serves; a rejection means not yet. */
  healthy: (signal: AbortSignal) => Promise<boolean>;
  /** Whether the process is still there. */
  alive: () => boolean;
  timeoutMs: number;
}

/** How often a starting server is asked. */
const POLL_MS = 100;

/** How long one question may take: a server that hangs is asked again. */
const QUESTION_TIMEOUT_MS = 10_000;

/**
 * Waits until a server answers that it is healthy.
 *
 * @throws RetrainError SERVICE_DIED, with the end of its log, when it exits or does not become healthy in time
 */
export async function untilHealthy(wait: HealthWait): Promise<void> {
  const deadline = Date.now() + wait.timeoutMs;
  for (;;) {
    const answer = await wait.healthy(AbortSignal.timeout(QUESTION_TIMEOUT_MS)).catch(() => false);
    if (answer) return;
    if (!wait.alive()) {
      throw new RetrainError(
        'SERVICE_DIED',
        `${wait.title} stopped while starting${quotedEnd(wait.logFile)}`,
      );
    }
    if (Date.now() > deadline) {
      throw new RetrainError(
        'SERVICE_DIED',
        `${wait.title} runs but did not become healthy within ${wait.timeoutMs / 1000} s${quotedEnd(wait.logFile)}`,
      );
    }
    await sleep(POLL_MS);
  }
}

/**
 * Ends a process group: SIGTERM, then SIGKILL when it has not gone after `graceMs`. Returns when nothing of it is
 * left; a group that is not there is no error. One that was stopped is woken up for it: it would hear nothing.
 */
export async function endGroup(group: number, graceMs: number): Promise<void> {
  signalGroup(group, 'SIGTERM');
  signalGroup(group, 'SIGCONT');
  if (await groupGone(group, graceMs)) return;
  signalGroup(group, 'SIGKILL');
  await groupGone(group, KILL_WAIT_MS);
}

/** The kernel ends a killed process at once, unless a disk keeps it waiting. */
const KILL_WAIT_MS = 10_000;

async function groupGone(group: number, withinMs: number): Promise<boolean> {
  const deadline = Date.now() + withinMs;
  while (groupMembers(group).length > 0) {
    if (Date.now() > deadline) return false;
    await sleep(50);
  }
  return true;
}

/** Signals every process of a group; one that is not there is no error. */
export function signalGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** The last lines of a log, indented, for an error message; empty when there are none. */
export function quotedEnd(logFile: string, lines = 12): string {
  let text: string;
  try {
    text = readFileSync(logFile, 'utf8');
  } catch {
    return `; it wrote no log (${logFile})`;
  }
  const end = text.trimEnd().split('\n').slice(-lines);
  return `; the end of ${logFile}:\n${end.map((line) => `    ${line.slice(0, 300)}`).join('\n')}`;
}
