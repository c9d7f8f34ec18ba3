import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import { freePort } from '../../../client/stack/ports';
import { tether } from '../stack/tether';
import { ROOT, sleep } from '../pipeline/test-project';

const Answer = z.object({
  data: z.object({
    result: z.array(
      z.object({ metric: z.record(z.string(), z.string()), value: z.tuple([z.number(), z.string()]) }),
    ),
  }),
});

/** One series that a query gives now. */
export interface Found {
  labels: Record<string, string>;
  value: number;
}

/** A real Prometheus with our rules, which scrapes every second what the target files of a project name. */
export class RealPrometheus {
  private readonly dir = mkdtempSync(path.join(tmpdir(), 'retrain-prometheus-'));
  private child: ChildProcess | undefined;
  private untie: () => void = () => undefined;
  private url = '';

  /** @param targets files of `file_sd_configs` */
  async start(targets: string): Promise<void> {
    const config = path.join(this.dir, 'prometheus.yml');
    const rules = path.join(ROOT, 'monitoring', 'rules', '*.yml');
    writeFileSync(
      config,
      JSON.stringify({
        global: { scrape_interval: '1s', evaluation_interval: '1s' },
        rule_files: [rules],
        scrape_configs: [
          { job_name: 'retrain', file_sd_configs: [{ files: [targets], refresh_interval: '1s' }] },
        ],
      }),
    );
    const port = await freePort();
    this.url = `http://127.0.0.1:${port}`;
    this.child = spawn(
      process.env['RETRAIN_TEST_PROMETHEUS'] ?? '',
      [
        `--config.file=${config}`,
        `--storage.tsdb.path=${path.join(this.dir, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      { stdio: 'ignore', detached: true },
    );
    this.untie = tether(this.child.pid ?? 0);
    for (;;) {
      if (this.child.exitCode !== null) throw new Error('Prometheus ended');
      if ((await fetch(`${this.url}/-/ready`).catch(() => null))?.ok === true) return;
      await sleep(50);
    }
  }

  async ask(query: string): Promise<Found[]> {
    const response = await fetch(`${this.url}/api/v1/query`, {
      method: 'POST',
      body: new URLSearchParams({ query }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${query}: ${text}`);
    return Answer.parse(JSON.parse(text)).data.result.map(({ metric, value }) => ({
      labels: metric,
      value: Number(value[1]),
    }));
  }

  /** Asks until there is a number that is none of `NaN` and infinity; it scrapes every second. */
  async untilThere(query: string): Promise<Found[]> {
    const patience = AbortSignal.timeout(60_000);
    for (;;) {
      const found = await this.ask(query);
      if (found.some(({ value }) => Number.isFinite(value))) return found;
      if (patience.aborted) throw new Error(`${query}: no number in a minute, but ${JSON.stringify(found)}`);
      await sleep(200);
    }
  }

  async stop(): Promise<void> {
    if (this.child?.exitCode === null) {
      const ended = once(this.child, 'exit');
      this.child.kill('SIGTERM');
      await ended;
    }
    this.untie();
    rmSync(this.dir, { recursive: true, force: true });
  }
}
