import { readyWorkers } from '../../../integrations/files/worker-file';
import { TestProject } from '../pipeline/test-project';
import { samplesIn, sumOf, type Sample } from './samples';

jest.setTimeout(180_000);

describe('a worker’s /metrics', () => {
  const project = new TestProject();
  beforeAll(async () => {
    await project.startWorker();
  });
  afterAll(() => project.remove());

  async function page(): Promise<string> {
    const [worker] = readyWorkers(project.path('.retrain'));
    const response = await fetch(`${worker?.health}/metrics`);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    return response.text();
  }
  const scrape = async (): Promise<Sample[]> => samplesIn(await page());

  test('is there before any run, with what the SDK and the process tell', async () => {
    const seen = await scrape();
    expect(sumOf(seen, 'retrain_worker_info', { task_queue: project.taskQueue })).toBe(1);
    expect(sumOf(seen, 'retrain_worker_check_ok')).toBe(5);
    expect(sumOf(seen, 'process_resident_memory_bytes')).toBeGreaterThan(50e6);
    expect(sumOf(seen, 'temporal_worker_start_total')).toBeGreaterThan(0);
  });

  test('counts a run, its stages, what they moved and how long they waited', async () => {
    expect((await project.start('--wait')).code).toBe(0);
    const seen = await scrape();
    expect(sumOf(seen, 'retrain_runs_total', { model: project.model, outcome: 'promoted' })).toBe(1);
    for (const stage of ['preprocess', 'train', 'evaluate']) {
      const own = { stage, executor: 'in-process', outcome: 'done' };
      expect(sumOf(seen, 'retrain_stage_seconds_count', own)).toBe(1);
      expect(sumOf(seen, 'retrain_stage_seconds_sum', own)).toBeGreaterThan(0);
      expect(sumOf(seen, 'retrain_stage_cache_lookups_total', { stage, result: 'miss' })).toBe(1);
      expect(sumOf(seen, 'retrain_stage_input_bytes_total', { stage })).toBeGreaterThan(1000);
      expect(sumOf(seen, 'retrain_stage_output_bytes_total', { stage })).toBeGreaterThan(100);
    }
    for (const stage of ['register', 'promote'])
      expect(sumOf(seen, 'retrain_stage_seconds_count', { stage, outcome: 'done' })).toBe(1);
    const waited = { task_queue: project.taskQueue, activity: 'train' };
    expect(sumOf(seen, 'retrain_activity_queue_seconds_count', waited)).toBe(1);
    expect(sumOf(seen, 'temporal_workflow_completed_total', { workflow_type: 'trainingPipeline' })).toBe(1);
  });
});
