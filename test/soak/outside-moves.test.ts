import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { stewardWorkflowId } from '../../contracts/names';
import { firstBreak } from '../../ml/ledger/chain';
import { takeHistory } from '../integration/pipeline/recorded-history';
import { RegistryView } from '../integration/pipeline/registry-view';
import { sleep, TestProject } from '../integration/pipeline/test-project';
import { Candidates } from '../integration/steward/candidates';
import { StewardView } from '../integration/steward/steward-view';

jest.setTimeout(180_000);

// Replays say nothing.
beforeAll(() => {
  Runtime.install({ logger: new DefaultLogger('ERROR', () => undefined) });
});

describe('promote.outside_moves: restore', () => {
  const project = new TestProject({ promote: { outside_moves: 'restore' } });
  const registry = new RegistryView(project.model);
  const connection = Connection.lazy({ address: process.env['RETRAIN_TEST_TEMPORAL_ADDRESS'] ?? '' });
  const client = new Client({ connection });
  const candidates = new Candidates(project, registry.mlflow, client);
  const view = new StewardView(client, project.model);

  beforeAll(async () => {
    await project.startWorker();
    for (const quality of [0.91, 0.95]) await candidates.contest(await candidates.register(quality));
  });
  afterAll(async () => {
    await project.remove();
    await registry.close();
    await connection.close();
  });

  const events = async (): Promise<unknown[]> =>
    (await view.ledger()).map(({ event, from, to, by }) => [event, from, to, by]);

  async function until(event: string, count: number): Promise<void> {
    while ((await view.ledger()).filter((entry) => entry.event === event).length < count) await sleep(200);
  }

  test('an alias that is moved in MLflow itself is put back within a minute, and both are entered', async () => {
    const since = Date.now();
    await registry.mlflow.registry.setAlias(project.model, 'production', '1');
    await until('put_back', 1);
    expect(Date.now() - since).toBeLessThan(60_000);
    expect((await events()).slice(2)).toEqual([
      ['moved_outside', '2', '1', 'unknown'],
      ['put_back', '1', '2', 'steward'],
    ]);
    const [second, first] = await registry.versions();
    expect(second).toMatchObject({ version: '2', stage: 'Production', aliases: ['production'] });
    expect(second?.tags).toMatchObject({ promoted: 'true', replaced_by: '', ledger_entry: '3' });
    expect(first).toMatchObject({ stage: 'Archived', aliases: ['previous-production'] });
  });

  test('one that cannot be put back, as its version was deleted meanwhile, is accepted', async () => {
    await registry.mlflow.registry.setAlias(project.model, 'production', '1');
    await registry.mlflow.registry.deleteVersion(project.model, '2');
    await until('moved_outside', 2);
    expect((await events()).slice(4)).toEqual([['moved_outside', '2', '1', 'unknown']]);
    // The steward goes on with what there is.
    const next = await candidates.register(0.99);
    expect(await candidates.contest(next, '1')).toMatchObject({ outcome: 'promoted' });
    expect((await view.standing()).production).toBe(next.version);
    expect(firstBreak(await view.ledger())).toBeNull();
  });

  test('the history of its steward replays', async () => {
    await takeHistory(client, 'steward-restored', stewardWorkflowId(project.model));
  });
});

describe('a candidate whose evaluation is lost', () => {
  const project = new TestProject();
  const registry = new RegistryView(project.model);
  const connection = Connection.lazy({ address: process.env['RETRAIN_TEST_TEMPORAL_ADDRESS'] ?? '' });
  const client = new Client({ connection });
  const candidates = new Candidates(project, registry.mlflow, client);

  afterAll(async () => {
    await project.remove();
    await registry.close();
    await connection.close();
  });

  test('ends with words, and the next one has its turn', async () => {
    await project.startWorker();
    const lost = await candidates.register(0.91);
    await expect(candidates.askWithLostEvaluation(lost)).rejects.toMatchObject({
      code: 'RUN_FAILED',
      message: expect.stringMatching(
        /^the evaluation of version 1 cannot be read, after 6 attempts: evaluation\.json .* --force$/,
      ) as string,
    });
    expect(await candidates.contest(await candidates.register(0.92))).toMatchObject({ outcome: 'promoted' });
    expect((await new StewardView(client, project.model).ledger()).map(({ version }) => version)).toEqual([
      '2',
    ]);
  });
});
