import { Client, Connection } from '@temporalio/client';
import { type ClosedRun } from '../../../temporal/close-ended-runs';
import { RegistryView } from './registry-view';
import { sleep, TestProject } from './test-project';

jest.setTimeout(240_000);

describe('an MLflow run that is open although its workflow was terminated', () => {
  const project = new TestProject({ train: { engine: 'ml-random-forest', n_estimators: 5000 } });
  const registry = new RegistryView(project.model);
  let connection: Connection;
  let client: Client;

  beforeAll(async () => {
    connection = await Connection.connect({ address: process.env['RETRAIN_TEST_TEMPORAL_ADDRESS'] ?? '' });
    client = new Client({ connection });
    await strangeRun();
  });
  afterAll(async () => {
    await project.remove();
    await registry.close();
    await connection.close();
  });

  /** An open run whose tags name a workflow that there cannot be; somebody else wrote them. */
  async function strangeRun(): Promise<void> {
    const tags = { pipeline_key: 'k', workflow_id: 'nobody', workflow_run_id: 'no UUID' };
    const body = {
      experiment_id: '0',
      tags: Object.entries(tags).map(([key, value]) => ({ key, value })),
    };
    const url = `${process.env['RETRAIN_TEST_MLFLOW_URI'] ?? ''}/api/2.0/mlflow/runs/create`;
    const { ok } = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    expect(ok).toBe(true);
  }

  const statuses = async (): Promise<string[]> => (await registry.runs()).map(({ status }) => status);

  /** Starts a run, waits until MLflow shows it, and terminates its workflow when no worker is there. */
  async function terminated(seed: number): Promise<string> {
    const worker = await project.startWorker();
    const { workflowId = '' } = await project.start('--set', `train.seed=${seed}`);
    while (!(await statuses()).includes('RUNNING')) await sleep(50);
    await worker.kill();
    await client.workflow.getHandle(workflowId).terminate('by an operator');
    return workflowId;
  }

  test('is closed by the next worker that starts; those of running workflows stay open', async () => {
    await terminated(1);
    await project.startWorker();
    while ((await statuses()).includes('RUNNING')) await sleep(50);
    const [run] = await registry.runs();
    expect(run).toMatchObject({
      status: 'KILLED',
      tags: { failure_reason: 'its workflow run ended (terminated) without closing it' },
    });
    await project.start('--set', 'train.seed=2');
    while (!(await statuses()).includes('RUNNING')) await sleep(50);
    const fixed = await doctor();
    expect(fixed.map(({ workflowId }) => workflowId).filter((id) => id.includes(project.model))).toEqual([]);
    expect(await statuses()).toEqual(['RUNNING', 'KILLED']);
  });

  test('is closed by retrain doctor --fix, which says so', async () => {
    await project.cli(['cancel', ...(await running())]);
    while ((await statuses()).includes('RUNNING')) await sleep(50);
    const workflowId = await terminated(3);
    // A worker of another suite may have been faster: either of them, and once.
    const fixed = await doctor();
    for (const closed of fixed.filter((one) => one.workflowId === workflowId)) {
      expect(closed).toMatchObject({ status: 'KILLED' });
    }
    expect((await statuses())[0]).toBe('KILLED');
    expect((await doctor()).filter((one) => one.workflowId === workflowId)).toEqual([]);
  });

  async function doctor(): Promise<ClosedRun[]> {
    const { stdout } = await project.cli(['doctor', '--fix', '--json']);
    return (JSON.parse(stdout) as { closed: ClosedRun[] }).closed;
  }

  async function running(): Promise<string[]> {
    const ids: string[] = [];
    const query = `Model = '${project.model}' AND ExecutionStatus = 'Running' AND WorkflowType = 'trainingPipeline'`;
    for await (const { workflowId } of client.workflow.list({ query })) ids.push(workflowId);
    return ids;
  }
});
