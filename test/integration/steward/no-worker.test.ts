import { Client, Connection } from '@temporalio/client';
import { stewardWorkflowId, WORKFLOW } from '../../../contracts/names';
import { TestProject } from '../pipeline/test-project';

jest.setTimeout(120_000);

const connection = Connection.lazy({ address: process.env['RETRAIN_TEST_TEMPORAL_ADDRESS'] ?? '' });
const client = new Client({ connection });
const projects = [new TestProject(), new TestProject()] as const;
const elsewhere = `left-${projects[1].id}`;
afterAll(async () => {
  await client.workflow.getHandle(stewardWorkflowId(projects[1].model)).terminate();
  await Promise.all(projects.map((project) => project.remove()));
  await connection.close();
});

test('a steward that no worker polls for is told, with the queue on which it waits', async () => {
  // Started when the project's queue was another one.
  await client.workflow.start(WORKFLOW.modelSteward, {
    workflowId: stewardWorkflowId(projects[1].model),
    taskQueue: elsewhere,
    args: [{ model: projects[1].model }],
  });
  const [none, other] = await Promise.all(
    projects.map((project) => project.cli(['rollback', project.model, '--reason', 'scores fell'])),
  );
  expect(none).toMatchObject({ code: 4 });
  expect(none?.stderr).toContain(
    `waits on task queue ${projects[0].taskQueue}, which no worker polls; start one`,
  );
  expect(other).toMatchObject({ code: 4 });
  expect(other?.stderr).toContain(
    `waits on task queue ${elsewhere}, which no worker polls; the project's own is`,
  );
  expect(other?.stderr).toContain(`RETRAIN_TASK_QUEUE=${elsewhere}`);
});
