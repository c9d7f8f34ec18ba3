import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { isAlive } from './process-alive';
import { PRIVATE_FILE } from './state-folder';

/** The scrape jobs, as rules and dashboards name them. */
export type ScrapeJob = 'retrain-worker' | 'retrain-api';

/**
 * Tells a Prometheus on this machine where this process answers `GET /metrics`, in a file as `file_sd_configs` reads them: several workers
 * take any free port. Files that killed processes left are removed.
 *
 * @param url base address, `http://127.0.0.1:43211`
 * @returns takes it back
 */
export function writeScrapeTarget(state: string, job: ScrapeJob, url: string): () => void {
  const dir = path.join(state, 'run', 'targets');
  mkdirSync(dir, { recursive: true });
  sweep(dir);
  const { host, protocol } = new URL(url);
  const scheme = protocol === 'https:' ? { __scheme__: 'https' } : {};
  const file = path.join(dir, `${hostname()}.${process.pid}.${job}.json`);
  const unfinished = `${file}.new`;
  writeFileSync(unfinished, `${JSON.stringify([{ targets: [host], labels: { job, ...scheme } }])}\n`, {
    mode: PRIVATE_FILE,
  });
  renameSync(unfinished, file);
  return () => rmSync(file, { force: true });
}

/** Of processes of this machine that are gone. */
function sweep(dir: string): void {
  const prefix = `${hostname()}.`;
  for (const name of readdirSync(dir)) {
    if (!name.startsWith(prefix)) continue;
    const pid = Number(/^(\d+)\./.exec(name.slice(prefix.length))?.[1]);
    if (pid > 0 && !isAlive(pid)) rmSync(path.join(dir, name), { force: true });
  }
}
