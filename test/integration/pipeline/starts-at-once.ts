import { Client, Connection } from '@temporalio/client';
import { RegistryView } from './registry-view';
import { sleep, TestProject } from './test-project';

/** Starts of the same run by processes of their own, all at the same moment. */
export function describeStartsAtOnce(count: number): void {
  describe(`${count} starts at the same moment, by different processes`, () => {
    const project = new TestProject();
    const registry = new RegistryView(project.model);
    afterAll(async () => {
      await project.remove();
      await registry.close();
    });

    test('make one workflow run, one MLflow run, one model version', async () => {
      // The runs are started before there is a worker, so that all of them overlap.
      const starts = Promise.all(Array.from({ length: count }, () => project.start('--wait')));
      await sleep(count * 160);
      await project.startWorker();
      const reports = await starts;
      expect(reports.filter(({ code }) => code !== 0)).toEqual([]);
      expect(new Set(reports.map(({ result }) => result?.workflowRunId)).size).toBe(1);
      expect(reports.filter(({ how }) => how === 'started')).toHaveLength(1);
      expect(await registry.runs()).toHaveLength(1);
      expect(await registry.versions()).toHaveLength(1);
      expect(await executions(project.model)).toBe(1);
    });
  });
}

/** How many executions the model has, by Temporal's own list. */
async function executions(model: string): Promise<number> {
  const connection = await Connection.connect({
    address: process.env['RETRAIN_TEST_TEMPORAL_ADDRESS'] ?? '',
  });
  try {
    let found = 0;
    for await (const { workflowId } of new Client({ connection }).workflow.list({
      query: `Model = '${model}'`,
    })) {
      if (workflowId !== '') found++;
    }
    return found;
  } finally {
    await connection.close();
  }
}
