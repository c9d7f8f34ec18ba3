import { createServer, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { type Check, type HealthReport } from '../integrations/files/health-report';

/** What the worker is asked about, each by a look that may fail; see `healthChecks`. */
export type Checks = Readonly<Record<keyof HealthReport['checks'], () => Promise<Check>>>;

/** Without one of these nothing gets on, and only another process helps. */
const LIVE = ['eventLoop', 'fileThreads'] as const;

/** A look is not repeated for this long, in ms, however many ask. */
const FRESH_MS = 1000;

export interface HealthServer {
  /** `http://127.0.0.1:43211`, for those on this machine. */
  url: string;
  close(): Promise<void>;
}

/** What `GET /metrics` answers; see `WorkerScrape`. */
export interface MetricsPage {
  contentType: string;
  text(report: HealthReport): Promise<string>;
}

/**
 * Answers `GET /live` (the process gets on: a new one would help if it does not) and `GET /ready` (and it has a server that it polls,
 * and room) with 200 or 503 and the looks in JSON, which tell nothing else: no names, no paths. `GET /metrics` is for Prometheus; it has
 * names of models, queues and columns, and no more.
 *
 * @throws Error when the address cannot be listened at
 */
export async function serveHealth(
  address: { host: string; port: number },
  checks: Checks,
  metrics?: MetricsPage,
): Promise<HealthServer> {
  let latest: { at: number; report: Promise<HealthReport> } | undefined;
  const report = (): Promise<HealthReport> => {
    if (latest === undefined || Date.now() - latest.at > FRESH_MS)
      latest = { at: Date.now(), report: lookAt(checks) };
    return latest.report;
  };
  const server = createServer((request, response) => {
    const path = (request.url ?? '').split('?', 1)[0];
    const known = ['/live', '/ready', ...(metrics === undefined ? [] : ['/metrics'])];
    if (request.method !== 'GET' || !known.includes(path ?? '')) {
      response.writeHead(404).end();
      return;
    }
    if (metrics !== undefined && path === '/metrics') {
      void report()
        .then((seen) => metrics.text(seen))
        .then(
          (text) => {
            response.writeHead(200, { 'content-type': metrics.contentType, 'cache-control': 'no-store' });
            response.end(text);
          },
          (error: unknown) => response.writeHead(500).end(String(error)),
        );
      return;
    }
    void report().then(
      (seen) => answer(response, path === '/live' ? seen.live : seen.ready, seen),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  server.maxConnections = 50;
  server.requestTimeout = 5000;
  server.unref();
  await listen(server, address);
  const { port } = server.address() as AddressInfo;
  const { host } = address;
  const near = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return {
    url: `http://${near.includes(':') ? `[${near}]` : near}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function answer(response: ServerResponse, isWell: boolean, report: HealthReport): void {
  response.writeHead(isWell ? 200 : 503, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(`${JSON.stringify(report)}\n`);
}

async function lookAt(checks: Checks): Promise<HealthReport> {
  const names = Object.keys(checks) as (keyof Checks)[];
  const seen = await Promise.all(
    names.map(async (name): Promise<[string, Check]> => {
      try {
        return [name, await checks[name]()];
      } catch (error) {
        return [
          name,
          { ok: false, note: error instanceof Error ? error.message.slice(0, 200) : String(error) },
        ];
      }
    }),
  );
  const found = Object.fromEntries(seen) as HealthReport['checks'];
  return {
    live: LIVE.every((name) => found[name].ok),
    ready: Object.values(found).every(({ ok }) => ok),
    checks: found,
  };
}

function listen(server: Server, { host, port }: { host: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
