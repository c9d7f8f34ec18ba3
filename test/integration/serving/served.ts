import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { Pool } from 'undici';
import { ROOT, sleep, type TestProject } from '../pipeline/test-project';

/** An answer of the API: its status and its JSON. */
export interface Said {
  status: number;
  body: Record<string, unknown>;
}

/** `retrain serve` as a user runs it, on a port that the system chose. */
export class ServedProject {
  private readonly child: ChildProcess;
  private pool: Pool | null = null;
  private exited: Promise<unknown>;
  log = '';
  /** Where it listens. */
  url = '';

  constructor(project: TestProject, env: Record<string, string> = {}, args: readonly string[] = []) {
    this.child = spawn(
      process.execPath,
      [path.join(ROOT, 'bin', 'retrain'), 'serve', '--port', '0', '--poll', '0.1', ...args],
      {
        cwd: project.dir,
        env: { ...process.env, ...project.env, ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    this.exited = once(this.child, 'exit');
    for (const stream of [this.child.stdout, this.child.stderr])
      stream?.on('data', (chunk: Buffer) => (this.log += chunk.toString()));
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Waits until it listens, and opens 32 connections to it. */
  async listening(): Promise<this> {
    for (;;) {
      const url = / at (http:\/\/[^ ]+) /.exec(this.log)?.[1];
      if (url !== undefined) {
        this.url = url;
        this.pool = new Pool(url, { connections: 32 });
        return this;
      }
      if (this.child.exitCode !== null) throw new Error(`the API ended: ${this.log}`);
      await sleep(20);
    }
  }

  async ask(url: string, payload?: unknown, headers: Record<string, string> = {}): Promise<Said> {
    if (this.pool === null) throw new Error('it does not listen yet');
    const { statusCode, body } = await this.pool.request(
      payload === undefined
        ? { method: 'GET', path: url, headers }
        : {
            method: 'POST',
            path: url,
            headers: { 'content-type': 'application/json', ...headers },
            body: typeof payload === 'string' || Buffer.isBuffer(payload) ? payload : JSON.stringify(payload),
          },
    );
    return { status: statusCode, body: JSON.parse(await body.text()) as Record<string, unknown> };
  }

  /** Waits until this version answers. */
  async serves(version: string): Promise<void> {
    await this.until('/', ({ body }) => String(body['model']).endsWith(` v${version}`));
  }

  async until(url: string, holds: (said: Said) => boolean): Promise<Said> {
    for (;;) {
      const said = await this.ask(url);
      if (holds(said)) return said;
      if (this.child.exitCode !== null) throw new Error(`the API ended: ${this.log}`);
      await sleep(20);
    }
  }

  /** @returns its exit code, or the signal that ended it */
  async end(signal: NodeJS.Signals): Promise<number | NodeJS.Signals | null> {
    this.child.kill(signal);
    await this.exited;
    await this.pool?.destroy();
    return this.child.signalCode ?? this.child.exitCode;
  }
}
