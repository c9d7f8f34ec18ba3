import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { mkdirSync, writeFileSync } from 'node:fs';
import { Client, Connection } from '@temporalio/client';
import { Registry } from 'prom-client';
import { WatchFigures } from '../../../worker/telemetry/watch-figures';
import { queries } from '../../monitoring/dashboards';
import { describeWith } from '../../tools/needs';
import { RegistryView } from '../pipeline/registry-view';
import { TestProject } from '../pipeline/test-project';
import { ServedProject } from '../serving/served';
import { RealPrometheus } from './prometheus';

jest.setTimeout(240_000);

/** What Grafana puts in: everything, and four times the scrape interval at least. */
const filledIn = (expr: string): string =>
  expr.replace(/\$(model|instance|figure)\b/g, '.*').replace(/\$__rate_interval\b/g, '1m');

describeWith('prometheus')('after a run, a real Prometheus', () => {
  const servers: Server[] = [];
  const prometheus = new RealPrometheus();
  let project: TestProject;
  let registry: RegistryView;
  let api: ServedProject | undefined;
  let traffic: NodeJS.Timeout | undefined;

  beforeAll(async () => {
    const slack = await listening((_request, response) => response.end('ok'));
    project = new TestProject({ notify: { on: ['promotion', 'failure'] } }, { SLACK_WEBHOOK_URL: slack });
    registry = new RegistryView(project.model);
    const first = await project.startWorker();
    expect((await project.start('--wait')).code).toBe(0);
    await first.stop();
    await alarm();

    mkdirSync(project.path('.retrain/run/targets'), { recursive: true });
    await checked();
    await prometheus.start(project.path('.retrain/run/targets/*.json'));
    await project.startWorker();
    api = await new ServedProject(project).listening();
    await api.serves('1');
    await prometheus.untilThere(
      'sum(up{job="retrain-worker", instance!=""}) > 1 and sum(up{job="retrain-api"}) > 0',
    );
    expect((await project.start('--wait', '--force')).code).toBe(0);
    // The same data and params again: what is known is not made again.
    await project.cli(['start', '--wait', '--set', 'gate.accuracy=0.91']);
    await fails();
    const row = { sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 };
    const { body, status } = await api.ask('/predict', row);
    expect({ body, status }).toMatchObject({ status: 200 });
    traffic = setInterval(() => void api?.ask('/predict', row).catch(() => undefined), 100);
  });
  afterAll(async () => {
    clearInterval(traffic);
    await api?.end('SIGTERM');
    await prometheus.stop();
    await project.remove();
    await registry.close();
    for (const server of servers) server.close();
  });

  async function listening(answer: Parameters<typeof createServer>[1]): Promise<string> {
    const server = createServer(answer).listen(0, '127.0.0.1');
    servers.push(server);
    await new Promise((resolve) => server.once('listening', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /** As somebody starts it in the Web UI, with a file that is not there. */
  async function fails(): Promise<void> {
    const connection = await Connection.connect({ address: project.env['TEMPORAL_ADDRESS'] ?? '' });
    try {
      const run = new Client({ connection }).workflow.execute('trainingPipeline', {
        ...{ taskQueue: project.taskQueue, workflowId: `by-hand-${project.id}` },
        args: [{ params: 'nowhere.yaml' }],
      });
      await expect(run).rejects.toThrow();
    } finally {
      await connection.close();
    }
  }

  /** An open alarm of the production version, as an alarm desk writes it. */
  async function alarm(): Promise<void> {
    const open = [{ cause: { key: 'drift:petal_width:distribution' }, since: '2026-03-04T00:00:00Z' }];
    await registry.mlflow.registry.setVersionTags(project.model, '1', {
      alarm_state: JSON.stringify({ open }),
    });
  }

  /** A worker that has made a check. */
  async function checked(): Promise<void> {
    const figures = new Registry();
    new WatchFigures(figures).show(project.model, { drift_worst_stability: 0.4, live_accuracy: 0.9 });
    const url = await listening((_request, response) => {
      void figures.metrics().then((text) => response.end(text));
    });
    const target = [{ targets: [new URL(url).host], labels: { job: 'retrain-worker' } }];
    writeFileSync(project.path('.retrain/run/targets/checked.json'), JSON.stringify(target));
  }

  test.each(queries())('%s: has data', async (_panel, expr) => {
    expect(await prometheus.untilThere(filledIn(expr))).not.toEqual([]);
  });

  test('has the champion’s facts from the registry', async () => {
    const { model } = project;
    const [age] = await prometheus.untilThere(`retrain:champion_age_seconds{model="${model}"}`);
    const [lag] = await prometheus.untilThere(`retrain:promotion_lag_seconds{model="${model}"}`);
    expect(age?.value).toBeGreaterThan(0);
    expect(age?.value).toBeLessThan(600);
    expect(lag?.value).toBeGreaterThanOrEqual(0);
    expect(lag?.value).toBeLessThan(60);
  });

  test('has seen the failed run, and fires its alert', async () => {
    const [failed] = await prometheus.untilThere(
      'ALERTS{alertname="RetrainRunsFailing", alertstate="firing"}',
    );
    expect(failed?.labels).toMatchObject({ outcome: 'failed', severity: 'warning' });
  });

  test('no label has what only the machine knows: paths, ids, secrets', async () => {
    const names = await prometheus.ask('count by (__name__) ({job=~"retrain-.*"})');
    expect(names.length).toBeGreaterThan(60);
    const series = await prometheus.ask('{__name__=~"retrain_.*|temporal_.*", job=~"retrain-.*"}');
    const text = JSON.stringify(series);
    expect(text).not.toContain(project.dir);
    expect(text).not.toContain('SLACK');
    expect(text).not.toMatch(/[0-9a-f]{32}/);
  });
});
