import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { Client, Connection, WorkflowFailedError } from '@temporalio/client';
import { QUERY, WORKFLOW, canonicalWorkflowId } from '../../../contracts/names';
import { type PipelineProgress } from '../../../contracts/progress';
import { type RunSpec, type TrainingInput, type TrainingResult } from '../../../contracts/run';
import { identifyRun } from '../../../pipeline/run/identify-run';
import { readStageCode } from '../../../pipeline/stage-code';
import { fromFailedRun } from '../../../temporal/errors';
import { RegistryView } from './registry-view';
import { ROOT, TestProject } from './test-project';

jest.setTimeout(120_000);

/** What somebody starts who reaches Temporal's port, or the Web UI's form, with a spec of his own. */
describe('a run that is started with a spec', () => {
  const project = new TestProject();
  const registry = new RegistryView(project.model);
  let connection: Connection;
  let client: Client;

  beforeAll(async () => {
    connection = await Connection.connect({ address: project.env['TEMPORAL_ADDRESS'] ?? '' });
    client = new Client({ connection });
    await project.startWorker();
  });
  afterAll(async () => {
    await connection.close();
    await registry.close();
    await project.remove();
  });

  async function specOf(overrides: Record<string, unknown> = {}): Promise<RunSpec> {
    const identity = await identifyRun({
      ...{ project: project.dir, paramsPath: 'params.yaml', overrides },
      code: await readStageCode(path.join(ROOT, 'dist', 'stage-code.json')),
      imageDigest: async () => Promise.reject(new Error('no images here')),
    });
    return { ...identity, git: { commit: '', branch: '', dirty: false, remoteUrl: '' } };
  }

  async function run(
    spec: RunSpec,
    workflowId = canonicalWorkflowId(spec.params.model, spec.pipelineKey),
  ): Promise<TrainingResult> {
    try {
      return await client.workflow.execute<(input: TrainingInput) => Promise<TrainingResult>>(
        WORKFLOW.trainingPipeline,
        { taskQueue: project.taskQueue, workflowId, args: [{ spec }] },
      );
    } catch (error) {
      throw error instanceof WorkflowFailedError ? fromFailedRun(error) : error;
    }
  }

  const sql = { preprocess: { sql: 'select * from data where sepal_length > 5' } };

  test('that brings SQL, under the run’s own id or any other, is refused before anything happens', async () => {
    const spec = await specOf(sql);
    for (const id of [undefined, `mine-${randomUUID()}`]) {
      await expect(run(spec, id)).rejects.toMatchObject({
        code: 'CONFIG_INVALID',
        message: expect.stringMatching(/spec\.params: a trigger may not change preprocess\.sql/) as string,
      });
    }
    expect(await registry.runs()).toEqual([]);
  });

  test('whose params are not those of its hash is refused', async () => {
    const spec = await specOf();
    const forged = { ...spec, params: { ...spec.params, gate: { accuracy: 0 } } };
    await expect(run(forged)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('but model, data, params and code make') as string,
    });
    expect(await registry.runs()).toEqual([]);
  });

  test('with the seal of another run is refused', async () => {
    const { workflowId = '' } = await project.start('--wait');
    const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
    const [payload] = events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
    const { spec: seen } = JSON.parse(Buffer.from(payload?.data ?? []).toString()) as { spec: RunSpec };
    expect(seen.seal).toMatch(/^[0-9a-f]{64}$/);
    const spec = { ...(await specOf(sql)), ...(seen.seal === undefined ? {} : { seal: seen.seal }) };
    await expect(run(spec)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    expect(await registry.runs()).toHaveLength(1);
  });

  test('that has been trained before gives its result, though preprocess had begun', async () => {
    const spec = await specOf();
    const workflowId = canonicalWorkflowId(spec.params.model, spec.pipelineKey);
    expect(await run(spec)).toMatchObject({ modelVersion: '1' });
    const { stages } = await client.workflow.getHandle(workflowId).query<PipelineProgress>(QUERY.progress);
    expect(stages.map(({ state }) => state)).toEqual(stages.map(() => 'waiting'));
    expect(await registry.runs()).toHaveLength(1);
  });

  test('by a command line without a seal trains what params.yaml says, and what a trigger may ask', async () => {
    const elsewhere = { RETRAIN_STATE_DIR: path.join(project.dir, 'elsewhere') };
    const asked = ['start', '--json', '--wait', '--set', 'train.n_estimators=11'];
    const remote = await project.cli(asked, elsewhere);
    expect(JSON.parse(remote.stdout)).toMatchObject({ result: { modelVersion: '2' } });
    const refused = await project.cli([...asked, '--set', 'preprocess.filter=sepal_length > 5'], elsewhere);
    expect(refused).toMatchObject({ code: 2 });
    expect(refused.stderr).toMatch(/may not change preprocess\.filter, .*RETRAIN_START_SECRET/);
  });

  test('by the project’s own command line trains what it says', async () => {
    const started = await project.start('--wait', '--set', 'preprocess.filter=sepal_length > 5');
    expect(started).toMatchObject({ result: { modelVersion: '3' } });
  });
});
