import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { dockerHost } from './engine';

const SCRIPT = path.resolve(__dirname, '..', '..', '..', 'scripts', 'setup-docker.sh');

/** A second Docker engine, beside the one of the other tests, that a test may stop and kill. Root only. */
export class OwnEngine {
  private readonly dir = mkdtempSync(path.join(tmpdir(), 'retrain-engine-'));
  readonly host = `unix://${this.dir}/run/docker.sock`;

  /** @param flags of dockerd; default: no network, as nothing that runs there needs one */
  constructor(private readonly flags = '--bridge=none --iptables=false --ip6tables=false') {}

  /** Whether this machine can start one. */
  static possible(): boolean {
    try {
      execFileSync(SCRIPT, ['may-start'], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  }

  /** @param user process that it is started for; default: it stays until it is removed */
  start(user?: number): void {
    this.script(['start'], user === undefined ? {} : { RETRAIN_DOCKER_FOR: String(user) });
  }

  /** That process is done with it. */
  release(user: number): void {
    this.script(['release', String(user)]);
  }

  runs(): boolean {
    return existsSync(path.join(this.dir, 'run', 'docker.pid'));
  }

  /** Copies an image from the tests' engine. */
  copyImage(image: string): void {
    execFileSync('sh', [
      '-c',
      `docker --host '${dockerHost}' save '${image}' | docker --host '${this.host}' load --quiet`,
    ]);
  }

  /** Ends it as an operator or a crash would; its containers go with it, or when it comes back. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const pid = Number(readFileSync(path.join(this.dir, 'run', 'docker.pid'), 'utf8'));
    process.kill(pid, signal);
    while (isAlive(pid)) await new Promise((resolve) => setTimeout(resolve, 50));
  }

  /** Ends it and everything that it had. */
  remove(): void {
    this.script(['stop']);
    rmSync(this.dir, { recursive: true, force: true });
  }

  private script(command: readonly string[], extra: Record<string, string> = {}): void {
    const { DOCKER_HOST: _host, ...env } = process.env;
    execFileSync(SCRIPT, command, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...env,
        // An engine that is there must not be taken for this one.
        RETRAIN_DOCKER_ALONE: '1',
        RETRAIN_DOCKER_DATA: path.join(this.dir, 'data'),
        RETRAIN_DOCKER_RUN: path.join(this.dir, 'run'),
        RETRAIN_DOCKERD_FLAGS: this.flags,
        ...extra,
      },
    });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
