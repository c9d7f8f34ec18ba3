import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { type CollectReport } from '../../contracts/collect';
import { WORKFLOW } from '../../contracts/names';
import { json, SourceServer } from '../integrations/http-source/source-server';
import { takeHistory } from './pipeline/recorded-history';
import { sleep, TestProject } from './pipeline/test-project';

jest.setTimeout(180_000);

/** Rows of iris of a day: each has another third of them. */
const NOW = '2026-03-09T12:00:00Z';

describe('the workflow collect', () => {
  const server = new SourceServer();
  let project: TestProject;
  let connection: Connection;
  let client: Client;
  let ids = 0;

  beforeAll(async () => {
    // Of the replays.
    Runtime.install({ logger: new DefaultLogger('ERROR', () => undefined) });
    await server.start();
    server.play = (_, response, url) => json(response, flowersOf(url.searchParams.get('day') ?? ''));
    project = new TestProject(
      {
        data: { path: 'data/raw', target: 'species' },
        gate: { accuracy: 0.5 },
        collect: {
          then: 'train',
          sources: {
            flowers: {
              url: `${server.origin}/flowers?day={day}`,
              auth: { env: 'FLOWER_KEY', header: 'X-Api-Key' },
              columns: { length: 'number', width: 'number', species: 'text' },
              start: '2026-03-08',
              requests_per_minute: 60_000,
            },
          },
        },
      },
      {
        RETRAIN_COLLECT_HOSTS: '127.0.0.1:*',
        RETRAIN_COLLECT_ENV: `FLOWER_KEY@127.0.0.1:${server.port}`,
        FLOWER_KEY: 'a-flower-key',
      },
    );
    connection = await Connection.connect({ address: project.env['TEMPORAL_ADDRESS']! });
    client = new Client({ connection });
    await project.startWorker();
  });
  afterAll(async () => {
    await project.cli(['schedule', 'delete', 'collect-flowers']);
    await connection.close();
    await project.remove();
    await server.stop();
  });

  function collect(input: object = { now: NOW }): Promise<CollectReport> {
    return client.workflow.execute(WORKFLOW.collect, {
      workflowId: `collecting-${project.id}-${ids++}`,
      taskQueue: project.taskQueue,
      args: [input],
    });
  }

  /** Of one day, once the server lists it. */
  async function dayWorkflow(day: string): Promise<string> {
    const query = `WorkflowType = "${WORKFLOW.collectDay}" AND TaskQueue = "${project.taskQueue}"`;
    for (; ; await sleep(50)) {
      for await (const { workflowId } of client.workflow.list({ query })) {
        if (workflowId.startsWith(`collect-flowers-${day}-`)) return workflowId;
      }
    }
  }

  test('collects each day once, however many ask at once, and starts one training of what is new', async () => {
    const first = ids;
    // Both collections have joined the day before its answer comes: their activities that follow it have told the server so.
    const bothFollow = async (): Promise<void> => {
      for (let following = 0; following < 2; await sleep(50)) {
        const looks = [first, first + 1].map((id) =>
          client.workflow.getHandle(`collecting-${project.id}-${id}`).describe(),
        );
        following = (await Promise.all(looks)).filter(({ raw }) =>
          raw.pendingActivities?.some(
            ({ activityType, lastHeartbeatTime }) =>
              activityType?.name === 'followDay' && lastHeartbeatTime != null,
          ),
        ).length;
      }
    };
    let isHeld = true;
    server.play = (_, response, url) => {
      const answer = (): void => json(response, flowersOf(url.searchParams.get('day') ?? ''));
      if (isHeld) void bothFollow().then(answer);
      else answer();
      isHeld = false;
    };
    const [one, other] = await Promise.all([collect(), collect()]);
    expect(one.days.map(({ day, rows }) => [day, rows])).toEqual([
      ['2026-03-08', 60],
      ['2026-03-09', 60],
    ]);
    expect(server.asked.filter(({ url }) => url === '/flowers?day=2026-03-08')).toHaveLength(1);
    expect(one.days.filter(({ outcome }) => outcome === 'new')).toHaveLength(2);
    expect(one.days.map(({ sha256 }) => sha256)).toEqual(other.days.map(({ sha256 }) => sha256));
    expect(readdirSync(project.path('data/raw'))).toEqual([
      'flowers-2026-03-08.parquet',
      'flowers-2026-03-09.parquet',
    ]);
    const keys = [one.training, other.training].flatMap((training) => training?.pipelineKey ?? []);
    expect(new Set(keys).size).toBe(1);
    const workflowId = [one, other]
      .map(({ training }) => training?.workflowId)
      .find((id) => id !== undefined)!;
    expect(await client.workflow.getHandle(workflowId).result()).toMatchObject({ modelVersion: '1' });
    expect(server.asked.every(({ headers }) => headers['x-api-key'] === 'a-flower-key')).toBe(true);
    const { events } = await client.workflow.getHandle(`collecting-${project.id}-0`).fetchHistory();
    expect(JSON.stringify(events)).not.toContain('a-flower-key');
    await takeHistory(client, 'collect', `collecting-${project.id}-0`);
    await takeHistory(client, 'collect-day', await dayWorkflow('2026-03-08'));
  });

  test('the same days again change nothing and train nothing', async () => {
    server.play = (_, response, url) => json(response, flowersOf(url.searchParams.get('day') ?? ''));
    const again = await collect({ from: '2026-03-08', to: '2026-03-09', now: NOW });
    expect(again.days.map(({ outcome }) => outcome)).toEqual(['unchanged', 'unchanged']);
    expect(again.training).toBeNull();
  });

  test('fails with the source’s words when a day fails, after the others were collected', async () => {
    server.play = (_, response, url) => {
      if (url.searchParams.get('day') === '2026-03-10') response.writeHead(418).end('short and stout');
      else json(response, flowersOf(url.searchParams.get('day') ?? ''));
    };
    const failed = await collect({ now: '2026-03-11T12:00:00Z' }).catch((error: Error) => error.cause);
    expect(String(failed)).toMatch(
      /flowers 2026-03-10: http:\/\/127.0.0.1:\d+\/flowers answered 418 \(short and stout\).*2 days were collected/,
    );
    await takeHistory(client, 'collect-failed', `collecting-${project.id}-${ids - 1}`);
    expect(existsSync(project.path('data/raw/flowers-2026-03-11.parquet'))).toBe(true);
    expect(existsSync(project.path('data/raw/flowers-2026-03-10.parquet'))).toBe(false);
    // What was new then is trained on once the rest is there.
    server.play = (_, response, url) => json(response, flowersOf(url.searchParams.get('day') ?? ''));
    const mended = await collect({ now: '2026-03-11T12:00:00Z' });
    expect(mended.days.find(({ day }) => day === '2026-03-10')).toMatchObject({ outcome: 'new' });
    expect(mended.training).toMatchObject({ how: 'started' });
  });

  test.each([
    [{ source: 'trees' }, /there is no source trees in params.yaml; expected one of flowers/],
    [{ day: 'yesterday' }, /the input.day: must be a day such as 2026-03-09/],
    [{ command: 'rm' }, /the input.*command/],
    [{ now: '2199-01-01T00:00:00Z' }, /is yet to come/],
    [{ params: '/etc/passwd' }, /is no params file/],
    ['all of them', /the input: .*expected \{\}/],
  ])('refuses the input %j with words', async (input, words) => {
    const refused = await collect(input as object).catch((error: Error) =>
      String((error.cause as Error).cause),
    );
    expect(refused).toMatch(words);
  });

  test('the command line starts the training of what is new, once, and later what it could not start', async () => {
    const day = '2026-03-07';
    const tell = (offset: number, failing = ''): void => {
      server.play = (_, response, url) => {
        const asked = url.searchParams.get('day') ?? '';
        if (asked === failing) response.writeHead(418).end();
        else if (asked !== day) json(response, flowersOf(asked));
        else
          json(
            response,
            flowersOf(day).map((flower) => ({ ...flower, length: flower.length + offset })),
          );
      };
    };
    const marks = (): string[] => readdirSync(project.path('data/collected/.untrained'));
    const run = async (...args: string[]): Promise<CollectReport> => {
      const days = args.includes('--from') ? [] : ['--day', day];
      const { stdout } = await project.cli(['collect', ...days, '--now', NOW, '--json', ...args]);
      return JSON.parse(stdout) as CollectReport;
    };
    tell(0);
    const away = await project.cli(['collect', '--day', day, '--now', NOW], {
      TEMPORAL_ADDRESS: '127.0.0.1:9',
    });
    expect(away).toMatchObject({ code: 4, stdout: expect.stringContaining('new  60 rows') as string });
    expect(marks()).toEqual([`flowers-${day}`]);
    const started = await run();
    expect(started.days).toMatchObject([{ outcome: 'unchanged' }]);
    expect(started.training).toMatchObject({ how: 'started' });
    expect(marks()).toEqual([]);
    const { workflowId = '', pipelineKey = '' } = started.training ?? {};
    expect(await client.workflow.getHandle(workflowId).result()).toMatchObject({ pipelineKey });
    expect((await run()).training).toBeNull();

    tell(0.5);
    expect(await run('--no-train')).toMatchObject({ days: [{ outcome: 'changed' }], training: null });
    expect(marks()).toEqual([`flowers-${day}`]);
    // What was trained on before trains nothing again.
    tell(0);
    const { stdout, code } = await project.cli(['collect', '--day', day, '--now', NOW]);
    expect([code, stdout]).toEqual([0, expect.stringContaining('These data were trained on before.')]);
    expect(marks()).toEqual([]);

    // While a day fails, the training waits.
    tell(1, '2026-03-06');
    const failed = await run('--from', '2026-03-06', '--to', day);
    expect(failed).toMatchObject({
      days: [{ outcome: 'changed' }],
      failed: [{ day: '2026-03-06' }],
      training: null,
    });
    expect(marks()).toEqual([`flowers-${day}`]);
    tell(1);
    const told = await project.cli(['collect', '--from', '2026-03-06', '--to', day, '--now', NOW]);
    expect(told.stdout).toMatch(/Started train-iris-[^ ]+; follow it with: retrain start --wait/);
  });

  test('collects by schedule and by the command line, which find what is there', async () => {
    const args = ['schedule', 'create', '--cron', '0 6 * * *', '--collect', 'flowers', '--json'];
    expect(JSON.parse((await project.cli(args)).stdout)).toMatchObject({
      name: 'collect-flowers',
      params: null,
      collect: { params: 'params.yaml', source: 'flowers' },
    });
    const bad = await project.cli(['schedule', 'create', '--cron', '0 6 * * *', '--collect', 'trees']);
    expect(bad).toMatchObject({ code: 2 });
    expect(bad.stderr).toContain('there is no source trees');
    const triggered = await project.cli(['schedule', 'trigger', 'collect-flowers', '--json']);
    const { workflowId } = JSON.parse(triggered.stdout) as { workflowId: string };
    // Days since then: more than are collected at once.
    const report = (await client.workflow.getHandle(workflowId).result()) as CollectReport;
    expect(report.days.length).toBeGreaterThan(0);
    writeFileSync(project.path('data/raw/flowers-2026-03-09.parquet'), 'damaged');
    const { stdout, code } = await project.cli(['collect', 'flowers', '--day', '2026-03-09', '--no-train']);
    expect(code).toBe(0);
    expect(stdout).toContain('flowers 2026-03-09  new  60 rows');
  });
});

/** Sixty flowers of three kinds, others each day. */
function flowersOf(day: string): { length: number; width: number; species: string }[] {
  const offset = Number(day.slice(-2)) / 100;
  return Array.from({ length: 60 }, (_, at) => ({
    length: (at % 3) * 2 + ((at * 7) % 10) / 10 + offset,
    width: ((at * 3) % 10) / 10 + (at % 3) + offset,
    species: ['setosa', 'versicolor', 'virginica'][at % 3]!,
  }));
}
