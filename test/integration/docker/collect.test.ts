import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { type CollectReport } from '../../../contracts/collect';
import { WORKFLOW } from '../../../contracts/names';
import { ROOT, sleep, TestProject } from '../pipeline/test-project';
import { BASE_IMAGE, describeWithDocker, dockerHost, engine } from './engine';
import { nightly } from '../../tools/nightly';

jest.setTimeout(300_000);

const SECRET = 'tr0ub4dor-and-3';
const DSN = `postgres://u:${SECRET}@db.internal/orders`;
const NOW = '2026-03-09T12:00:00Z';
const ENV = {
  DOCKER_HOST: dockerHost,
  RETRAIN_DOCKER_IMAGES: 'node:*',
  RETRAIN_DOCKER_ENV: 'ORDERS_DSN',
  ORDERS_DSN: DSN,
};

/** A source that is a shell script, and the rows that it writes: three orders of the day. */
const orders = (script: string, rest: object = {}): object => ({
  ...{ image: BASE_IMAGE, command: ['sh', '-c', script], memory: '128m', start: '2026-03-08' },
  ...{ columns: { id: 'integer', day: 'date', note: 'text' }, unique: ['id'], format: 'json' },
  ...rest,
});
const ROWS =
  'out=/stage/out/rows.csv; echo id,day,note > $out; for i in 1 2 3; do echo $i,$RETRAIN_DAY,${NOTE:-none} >> $out; done';

describeWithDocker('sources that are containers', () => {
  const projects: TestProject[] = [];
  afterEach(async () => {
    await Promise.all(projects.splice(0).map((project) => project.remove()));
  });

  function projectOf(sources: Record<string, object>): TestProject {
    const project = new TestProject(
      { data: { path: 'data/raw', target: 'note' }, collect: { sources } },
      ENV,
    );
    projects.push(project);
    return project;
  }

  async function containersOf({ dir }: TestProject): Promise<string[]> {
    const all = await engine.listContainers({ all: true, filters: { name: ['retrain-'] } });
    return all.filter(({ Labels }) => (Labels['retrain.dir'] ?? '').startsWith(dir)).map(({ Id }) => Id);
  }

  const json = (project: TestProject, file: string): unknown =>
    JSON.parse(readFileSync(project.path(file), 'utf8'));

  test('are collected by a worker, each day once, and what they were given is in no log, record or payload', async () => {
    const tells = `echo "connecting to $ORDERS_DSN"; echo "with $ORDERS_DSN" >&2; echo "{\\"phase\\": \\"$ORDERS_DSN\\"}"; sleep 2; ${ROWS}`;
    const queue = `engine-${randomUUID()}`;
    const project = projectOf({
      // Of a worker that has an engine; the one of the collection has none.
      orders: orders(tells, { env: ['ORDERS_DSN'], queue }),
      // Not to be tried again: it says why.
      broken: orders(
        'echo "{\\"code\\":\\"DATA_NOT_FOUND\\",\\"message\\":\\"cannot log in as $ORDERS_DSN\\"}" > /stage/out/error.json; exit 1',
        { env: ['ORDERS_DSN'], queue, start: '2026-03-09' },
      ),
    });
    const connection = await Connection.connect({ address: project.env['TEMPORAL_ADDRESS']! });
    const client = new Client({ connection });
    const collect = async (
      source: string,
    ): Promise<{ report?: CollectReport; told: string; reason: string }> => {
      const workflowId = `collect-${source}-${project.id}-${Math.random()}`;
      const args = [{ source, now: NOW }];
      const handle = await client.workflow.start(WORKFLOW.collect, {
        workflowId,
        taskQueue: project.taskQueue,
        args,
      });
      const found: { report?: CollectReport; reason: string } = { reason: '' };
      await handle.result().then(
        (report) => (found.report = report as CollectReport),
        (error: Error) => (found.reason = String(error.cause)),
      );
      const told = JSON.stringify((await handle.fetchHistory()).events);
      return { ...found, told };
    };
    try {
      const lean = await project.startWorker({ DOCKER_HOST: 'unix:///nowhere/docker.sock' });
      const worker = await project.startWorker({ RETRAIN_TASK_QUEUE: queue });
      const first = await collect('orders');
      expect(first.report?.days.map(({ day, outcome, rows, file }) => [day, outcome, rows, file])).toEqual([
        ['2026-03-08', 'new', 3, 'data/raw/orders-2026-03-08.json'],
        ['2026-03-09', 'new', 3, 'data/raw/orders-2026-03-09.json'],
      ]);
      const digest = (await engine.getImage(BASE_IMAGE).inspect()).Id;
      expect(json(project, 'data/collected/orders/2026-03-08.json')).toMatchObject({
        container: {
          image: BASE_IMAGE,
          digest,
          command: ['sh', '-c', tells],
          env: ['ORDERS_DSN'],
          network: 'none',
        },
        ...{ url: null, rows: 3, collectedAt: '2026-03-09T12:00:00.000Z' },
      });
      const again = await collect('orders');
      // The newest day was not over.
      expect(again.report?.days.map(({ day, outcome }) => [day, outcome])).toEqual([
        ['2026-03-09', 'unchanged'],
      ]);
      const failed = await collect('broken');
      expect(failed.reason).toContain('broken 2026-03-09: cannot log in as [secret]');
      expect(worker.log).toContain('connecting to [secret]');
      const records = readFileSync(project.path('data/collected/orders/2026-03-09.json'), 'utf8');
      const query = `WorkflowType = "${WORKFLOW.collectDay}" AND TaskQueue = "${project.taskQueue}"`;
      const days: string[] = [];
      // Once the server lists them.
      for (; days.length < 3; await sleep(50)) {
        days.length = 0;
        for await (const { workflowId, runId } of client.workflow.list({ query })) {
          const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
          days.push(JSON.stringify(events));
        }
      }
      for (const text of [worker.log, lean.log, records, first.told, again.told, failed.told, ...days]) {
        expect(text).not.toContain(SECRET);
        expect(text).not.toContain(Buffer.from(SECRET).toString('base64').slice(0, 16));
      }
      expect(await containersOf(project)).toEqual([]);
    } finally {
      await connection.close();
    }
  });

  nightly('are found again by the next worker after kill -9, and recorded once', async () => {
    const project = projectOf({
      slow: orders(`NOTE=$(cat /proc/sys/kernel/random/uuid); echo "I am $NOTE."; sleep 5; ${ROWS}`, {
        start: '2026-03-09',
      }),
    });
    const connection = await Connection.connect({ address: project.env['TEMPORAL_ADDRESS']! });
    try {
      const doomed = await project.startWorker();
      const running = new Client({ connection }).workflow.execute(WORKFLOW.collect, {
        workflowId: `collect-slow-${project.id}`,
        taskQueue: project.taskQueue,
        args: [{ now: NOW }],
      });
      let name: string | undefined;
      while ((name = /I am ([0-9a-f-]{36})\./.exec(doomed.log)?.[1]) === undefined) await sleep(50);
      const before = await containersOf(project);
      await doomed.kill();
      await project.startWorker();
      expect(await containersOf(project)).toEqual(before);
      const report = (await running) as CollectReport;
      expect(report.days).toMatchObject([{ outcome: 'new', rows: 3 }]);
      expect(json(project, 'data/raw/slow-2026-03-09.json')).toMatchObject([
        { note: name },
        { note: name },
        {},
      ]);
      expect(readdirSync(project.path('data/raw'))).toEqual(['slow-2026-03-09.json']);
      expect(await containersOf(project)).toEqual([]);
    } finally {
      await connection.close();
    }
  });

  test('are collected by the command line, with words for each that leaves what is no table', async () => {
    const only = (script: string, rest: object = {}): object =>
      orders(script, { start: '2026-03-09', ...rest });
    const project = projectOf({
      good: only(ROWS),
      link: only('ln -s /etc/passwd /stage/out/rows.csv'),
      pipe: only('mkfifo /stage/out/rows.csv'),
      huge: only('head -c 2147483648 /dev/zero > /stage/out/rows.csv'),
      half: only(`${ROWS}; exit 3`),
      own: only(`echo '{"code":"DATA_NOT_FOUND","message":"no drop yet"}' > /stage/out/error.json; exit 1`),
      stranger: only(ROWS, { image: 'evil/image:1' }),
      spy: only(ROWS, { env: ['AWS_SECRET_ACCESS_KEY'] }),
      online: only(ROWS, { network: 'bridge' }),
      last: only(ROWS),
    });
    const { stdout, code } = await project.cli(['collect', '--now', NOW, '--json']);
    const report = JSON.parse(stdout) as CollectReport;
    expect(report.days.map(({ source, outcome, rows }) => [source, outcome, rows])).toEqual([
      ['good', 'new', 3],
      ['last', 'new', 3],
    ]);
    expect(Object.fromEntries(report.failed.map(({ source, message }) => [source, message]))).toEqual({
      link: expect.stringMatching(/left the symbolic link out\/rows.csv to \/etc\/passwd/) as string,
      pipe: expect.stringMatching(/left out\/rows.csv, which is neither a file nor a folder/) as string,
      huge: expect.stringMatching(/more than its limit of 64m|SIGXFSZ|File too large/) as string,
      half: expect.stringMatching(/ended with exit code 3/) as string,
      own: 'no drop yet',
      stranger: expect.stringMatching(
        /does not allow the image evil\/image:1 .*RETRAIN_DOCKER_IMAGES/,
      ) as string,
      spy: expect.stringMatching(
        /does not allow the variable AWS_SECRET_ACCESS_KEY .*RETRAIN_DOCKER_ENV/,
      ) as string,
      online: expect.stringMatching(/does not allow the network bridge .*RETRAIN_DOCKER_NETWORKS/) as string,
    });
    expect(code).not.toBe(0);
    expect(readdirSync(project.path('data/raw')).sort()).toEqual([
      'good-2026-03-09.json',
      'last-2026-03-09.json',
    ]);
    expect(existsSync(project.path('data/collected/half/2026-03-09.json'))).toBe(false);
    expect(await containersOf(project)).toEqual([]);
    expect(readdirSync(project.path('.retrain/collect'))).toEqual([]);

    const away = await project.cli(['collect', 'good', '--now', NOW], {
      DOCKER_HOST: 'unix:///nowhere/docker.sock',
    });
    expect(away).toMatchObject({ code: 4 });
    expect(away.stderr).toMatch(
      /good 2026-03-09: .*no Docker engine answers at unix:\/\/\/nowhere\/docker.sock/,
    );
  });

  nightly(
    'of a command line that was killed are gone on with by the next, and others of theirs swept',
    async () => {
      const script = `NOTE=$(cat /proc/sys/kernel/random/uuid); echo "I am $NOTE."; while [ ! -e /stage/out/metrics.json ]; do sleep 0.2; done; ${ROWS}`;
      const project = projectOf({ orders: orders(script, { start: '2026-03-09' }) });
      const args = ['collect', '--now', NOW];
      const begin = async (signal: NodeJS.Signals): Promise<string> => {
        const child = spawn(process.execPath, [path.join(ROOT, 'bin', 'retrain'), ...args], {
          cwd: project.dir,
          env: { ...process.env, ...project.env },
          stdio: ['ignore', 'ignore', 'pipe'],
        });
        let said = '';
        child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
        let name: string | undefined;
        while ((name = /I am ([0-9a-f-]{36})\./.exec(said)?.[1]) === undefined) await sleep(50);
        child.kill(signal);
        await once(child, 'exit');
        return name;
      };
      // Who is interrupted takes the container away.
      await begin('SIGINT');
      expect(await containersOf(project)).toEqual([]);
      await begin('SIGKILL');
      // Something else is asked: what was left answers it no more.
      project.writeParams({
        data: { path: 'data/raw', target: 'note' },
        collect: { sources: { orders: orders(script, { start: '2026-03-09', params: { other: true } }) } },
      });
      const name = await begin('SIGKILL');
      expect(await containersOf(project)).toHaveLength(1);
      const [folder = ''] = readdirSync(project.path('.retrain/collect'));
      const [id = ''] = await containersOf(project);
      const touch = await engine.getContainer(id).exec({ Cmd: ['touch', '/stage/out/metrics.json'] });
      await touch.start({});
      const { code, stderr } = await project.cli(args);
      expect([code, stderr]).toEqual([0, expect.stringContaining(name)]);
      expect(json(project, 'data/raw/orders-2026-03-09.json')).toMatchObject([{ note: name }, {}, {}]);
      expect(folder).toMatch(/^orders@2026-03-09-/);
      expect(await containersOf(project)).toEqual([]);
      expect(readdirSync(project.path('.retrain/collect'))).toEqual([]);
    },
  );
});
