import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { type PipelineProgress } from '../../../contracts/progress';
import { sleep, TestProject } from '../pipeline/test-project';

jest.setTimeout(180_000);

describe('a stage on a queue of its own', () => {
  test('says that no worker polls it, and goes on when one comes', async () => {
    const queue = `gpu-${randomUUID()}`;
    const project = new TestProject({ train: { n_estimators: 10, queue } });
    const connection = await Connection.connect({
      address: process.env['RETRAIN_TEST_TEMPORAL_ADDRESS'] ?? '',
    });
    const { workflow } = new Client({ connection });
    try {
      await project.startWorker();
      const { workflowId = '' } = await project.start();
      let shown = '';
      while (!shown.includes(`no worker polls ${queue}`)) {
        const { stages } = await workflow.getHandle(workflowId).query<PipelineProgress>('progress');
        shown = stages.map(({ note }) => note).join();
        await sleep(200);
      }
      await project.startWorker({ RETRAIN_TASK_QUEUE: queue });
      expect(await project.start('--wait')).toMatchObject({ code: 0, result: { outcome: 'promoted' } });
    } finally {
      await connection.close();
      await project.remove();
    }
  });
});
