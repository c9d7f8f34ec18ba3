/**
 * The prediction API with validation, log and metrics on, beside a bare Fastify handler with the same model, FastAPI with a scikit-learn
 * forest of as many trees, and `mlflow models serve` with the same model directory: single rows of the credit table, 32 connections.
 * RETRAIN_BENCH_PYTHON: a Python with fastapi, uvicorn, scikit-learn, pandas and mlflow (that of `retrain up` has them).
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import autocannon from 'autocannon';
import { freePort } from '../client/stack/ports';
import { creditModel } from './credit-model';
import { type Finding, median, report } from './measure';

const ROUNDS = 4;
const SECONDS = 5;
const CONNECTIONS = 32;
const TARGET = 'SeriousDlqin2yrs';

interface Server {
  child: ChildProcess;
  url: string;
}

interface Shot {
  /** Answers per second of wall time, and of the server's CPU time. */
  rate: number;
  perCpuSecond: number;
  p99: number;
}

async function main(): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'bench-serving-'));
  const servers: Server[] = [];
  try {
    const { data, model } = await creditModel(folder, 20_000);
    const row = firstRow(data);
    const http = path.join(__dirname, 'serving', 'http-server.js');
    const started = async (url: string, ...command: string[]): Promise<Server> => {
      const server = await start(url, command);
      servers.push(server);
      return server;
    };
    const [a, b] = [await freePort(), await freePort()];
    const bare = await started(
      `http://127.0.0.1:${a}/predict`,
      process.execPath,
      http,
      'bare',
      model,
      String(a),
    );
    const ours = await started(
      `http://127.0.0.1:${b}/predict`,
      process.execPath,
      http,
      'ours',
      model,
      String(b),
    );
    const body = JSON.stringify(row);
    await shoot(bare, body);
    await shoot(ours, body);
    const pairs: [Shot, Shot][] = [];
    for (let round = 0; round < ROUNDS; round++)
      pairs.push([await shoot(bare, body), await shoot(ours, body)]);
    const ownShots = pairs.map(([, one]) => one);
    const rate = median(ownShots.map((one) => one.rate));
    const [bareHalf, half] = [await shoot(bare, body, rate / 2), await shoot(ours, body, rate / 2)];
    const findings: Finding[] = [
      compared('throughput against a bare handler', pairs, (shot) => shot.rate, 'answers/s', '≥ 0.5'),
      compared('the same per second of CPU time', pairs, (shot) => shot.perCpuSecond, 'answers/s', '≥ 0.5'),
      {
        ...{
          what: 'p99 at half of the load, a bare handler’s beside it (aim: under 5 ms)',
          unit: 'ms',
          aim: '≤ 2',
        },
        ...{ ours: half.p99, peer: bareHalf.p99, ratio: half.p99 / bareHalf.p99 },
      },
      {
        what: 'resident memory',
        ours: rssMiB(ours),
        peer: 200,
        unit: 'MiB',
        ratio: rssMiB(ours) / 200,
        aim: '≤ 1',
      },
    ];
    const python = process.env['RETRAIN_BENCH_PYTHON'];
    if (python !== undefined) {
      const port = await freePort();
      const script = path.join(__dirname, '..', '..', 'bench', 'peers', 'serving.py');
      const api = await started(
        `http://127.0.0.1:${port}/predict`,
        python,
        script,
        data,
        TARGET,
        String(port),
      );
      const numbered = JSON.stringify(
        Object.fromEntries(Object.values(row).map((value, at) => [`c${at}`, value])),
      );
      findings.push(...against('FastAPI and scikit-learn', ownShots, await shoot(api, numbered)));
      const other = await freePort();
      const mlflow = await started(
        `http://127.0.0.1:${other}/invocations`,
        python,
        '-m',
        'mlflow',
        'models',
        'serve',
        '-m',
        model,
        '-p',
        String(other),
        '--env-manager',
        'local',
      );
      findings.push(
        ...against('mlflow models serve', ownShots, await shoot(mlflow, JSON.stringify({ inputs: [row] }))),
      );
    }
    report('serving', findings);
  } finally {
    for (const { child } of servers) end(child);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The first row without a missing value, by the names of its columns. */
function firstRow(csv: string): Record<string, number> {
  const [header = '', ...lines] = readFileSync(csv, 'utf8').split('\n', 1000);
  const names = header.replaceAll('"', '').split(',');
  const cells = (lines.find((line) => !line.includes('NA') && !/,(,|$)/.test(line)) ?? '').split(',');
  return Object.fromEntries(
    names
      .map((name, at): [string, number] => [name, Number(cells[at]?.replaceAll('"', ''))])
      .filter(([name]) => name !== TARGET && name !== ''),
  );
}

async function start(url: string, [command = '', ...args]: string[]): Promise<Server> {
  const bin = path.dirname(command);
  const child = spawn(command, args, {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, PATH: `${bin}:${process.env['PATH']}`, MLFLOW_DISABLE_TELEMETRY: 'true' },
    detached: true,
  });
  const { origin } = new URL(url);
  for (;;) {
    if (child.exitCode !== null) throw new Error(`${command} ${args[0]} ended`);
    const answer = await fetch(`${origin}/ping`).catch(() => null);
    if (answer !== null) return { child, url };
    await sleep(200);
  }
}

function end({ pid }: ChildProcess): void {
  if (pid !== undefined) process.kill(-pid, 'SIGTERM');
}

async function shoot({ child, url }: Server, body: string, overallRate?: number): Promise<Shot> {
  const before = cpuSeconds(child);
  const result = await autocannon({
    ...{ url, body, method: 'POST', headers: { 'content-type': 'application/json' } },
    ...{ connections: CONNECTIONS, duration: SECONDS },
    ...(overallRate === undefined ? {} : { overallRate: Math.round(overallRate) }),
  });
  const answers = result['2xx'];
  if (result.non2xx > 0 || result.errors > 0)
    throw new Error(`${url}: ${result.non2xx} refused, ${result.errors} failed`);
  return {
    rate: answers / result.duration,
    perCpuSecond: answers / (cpuSeconds(child) - before),
    p99: result.latency.p99,
  };
}

/** User and system time of a process group so far, by /proc (100 ticks a second): a server may be its starter's child. */
function cpuSeconds({ pid }: ChildProcess): number {
  let ticks = 0;
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    const fields = statOf(name);
    if (Number(fields[2]) === pid) ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks / 100;
}

/** Fields of /proc/PID/stat from the third on; none for a process that has gone. */
function statOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  } catch {
    return [];
  }
}

function rssMiB({ child }: Server): number {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
}

function compared(
  what: string,
  pairs: readonly [Shot, Shot][],
  of: (shot: Shot) => number,
  unit: string,
  aim: string,
): Finding {
  return {
    ...{ what, unit, aim },
    ours: median(pairs.map(([, ours]) => of(ours))),
    peer: median(pairs.map(([bare]) => of(bare))),
    ratio: median(pairs.map(([bare, ours]) => of(ours) / of(bare))),
  };
}

/** Against a server that is not ours: by wall time, and by CPU time, which other work on the machine disturbs less. */
function against(what: string, ours: readonly Shot[], shot: Shot): Finding[] {
  const [rate, perCpuSecond] = [
    median(ours.map((one) => one.rate)),
    median(ours.map((one) => one.perCpuSecond)),
  ];
  const aim = '≥ 50';
  return [
    {
      ...{ what: `throughput against ${what}`, unit: 'answers/s', aim },
      ...{ ours: rate, peer: shot.rate, ratio: rate / shot.rate },
    },
    {
      ...{ what: 'the same per second of CPU time', unit: 'answers/s', aim },
      ...{ ours: perCpuSecond, peer: shot.perCpuSecond, ratio: perCpuSecond / shot.perCpuSecond },
    },
  ];
}

void main();
