import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createMlflow, type Mlflow } from '../../../integrations/mlflow/client';
import { type HttpExchange } from '../../../integrations/mlflow/exchange';
import { mlflowSettings } from '../../../integrations/mlflow/settings';
import { openServingLog } from '../../../serving/log/open-serving-log';
import { SERVING_TAG, ServingSummary } from '../../../serving/log/serving-summary';
import { MemoryMlflow } from '../../integrations/mlflow/memory-mlflow';
import { column, logged, modelOf } from './logged';

const IRIS = modelOf(['setosa', 'versicolor/blue']);
const AT = Date.parse('2026-03-09T10:00:00Z');

/** MLflow in memory, whose answers can be lost. */
class Line implements HttpExchange {
  readonly memory = new MemoryMlflow();
  state: 'up' | 'down' | 'answers are lost' = 'up';
  bodies: string[] = [];

  async send(request: Parameters<HttpExchange['send']>[0]): ReturnType<HttpExchange['send']> {
    if (this.state === 'down') throw new Error('connect ECONNREFUSED');
    const answer = await this.memory.send(request);
    if (typeof request.body === 'string' && request.url.pathname.endsWith('log-batch'))
      this.bodies.push(request.body);
    if (this.state === 'answers are lost') throw new Error('socket hang up');
    return answer;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

let line: Line;
let mlflow: Mlflow;
beforeEach(() => {
  line = new Line();
  mlflow = createMlflow(mlflowSettings({ MLFLOW_TRACKING_URI: 'http://memory' }), {
    exchange: line,
    rule: { attempts: 1, firstWaitMs: 0, longestWaitMs: 0 },
  });
});

function iris(requestId: string, petal: number, probability: number, latencyMs = 2) {
  return logged({
    model: IRIS,
    requestId,
    columns: [column('petal', [petal], 'number')],
    answers: [['setosa', probability]],
    latencyMs,
  });
}

async function metricsOf(version: string): Promise<Record<string, number>> {
  const experiment = await mlflow.experiments.find('iris-classifier-serving');
  const run = await mlflow.runs.findOrCreateTagged(experiment ?? '', 'new', [
    SERVING_TAG,
    `iris-classifier/${version}`,
  ]);
  return run.metrics;
}

test('tells MLflow what was predicted, by model version, and what true labels said', async () => {
  const dir = mkdtempSync(path.join(tmpdir(), 'serving-summary-'));
  const log = openServingLog({ dir, now: () => AT, flushMs: 5, summary: { mlflow, intervalMs: 3_600_000 } });
  log.add(iris('one', 1, 0.5));
  log.add(iris('two', 2, 1, 4));
  log.add({ ...iris('three', 2, 0.25), modelVersion: '4', role: 'shadow' });
  log.feedback('one', 0, 'setosa');
  log.feedback('two', 0, 'versicolor/blue');
  await log.close();
  expect(await metricsOf('3')).toEqual({
    predictions: 2,
    'predictions_by_class.setosa': 2,
    mean_probability: 0.75,
    latency_mean_ms: 3,
    latency_p99_ms: expect.closeTo(4, 0) as number,
    feedback: 2,
    feedback_accuracy: 0.5,
  });
  expect(await metricsOf('4')).toMatchObject({ predictions: 1, mean_probability: 0.25 });
  rmSync(dir, { recursive: true });
});

test('while MLflow is down nothing is lost, and each is said once', async () => {
  const notices: string[] = [];
  const summary = new ServingSummary({
    mlflow,
    intervalMs: 3_600_000,
    onNotice: (text) => notices.push(text),
    now: () => AT,
  });
  line.state = 'down';
  summary.add(iris('one', 1, 0.5));
  await summary.send(1000);
  summary.add(iris('two', 1, 0.5));
  summary.add(iris('three', 1, 0.5));
  await summary.send(1000);
  expect(notices).toEqual([expect.stringContaining('waits for MLflow')]);
  line.state = 'up';
  await summary.close();
  const counts = line.bodies.map((body) => Number(/"predictions","value":(\d+)/.exec(body)?.[1]));
  expect(counts).toEqual([1, 2]);
  expect(notices).toHaveLength(2);
});

test('an answer that was lost is sent again as it was, which MLflow takes for the same point', async () => {
  let now = AT;
  const summary = new ServingSummary({ mlflow, intervalMs: 3_600_000, now: () => (now += 1000) });
  summary.add(iris('zero', 1, 0.5));
  await summary.send(1000);
  summary.add(iris('one', 1, 0.5));
  line.state = 'answers are lost';
  await summary.send(1000);
  line.state = 'up';
  await summary.close();
  expect(line.bodies).toHaveLength(3);
  expect(line.bodies[2]).toBe(line.bodies[1]);
});

test('a regression says its mean value and error', async () => {
  const dir = mkdtempSync(path.join(tmpdir(), 'serving-summary-'));
  const log = openServingLog({ dir, now: () => AT, summary: { mlflow, intervalMs: 3_600_000 } });
  const model = modelOf([]);
  log.add(logged({ model, requestId: 'one', columns: [column('x', [1, 2], 'number')], answers: [10, 20] }));
  log.feedback('one', 0, 13);
  log.feedback('one', 1, 16);
  await log.close();
  expect(await metricsOf('3')).toEqual({
    predictions: 2,
    mean_prediction: 15,
    feedback: 2,
    feedback_rmse: Math.sqrt((9 + 16) / 2),
  });
  rmSync(dir, { recursive: true });
});
