import { json, SourceServer } from '../integrations/http-source/source-server';
import { TestProject } from './pipeline/test-project';

jest.setTimeout(120_000);

/** Of a project whose task queue no worker has ever polled. */
describe('what is to be done where nobody works', () => {
  const server = new SourceServer();
  let project: TestProject;

  beforeAll(async () => {
    await server.start();
    server.play = (_, response) =>
      json(
        response,
        Array.from({ length: 60 }, (__, at) => ({ length: at % 3, species: `kind ${at % 3}` })),
      );
    const flowers = {
      url: `${server.origin}/flowers?day={day}`,
      columns: { length: 'number', species: 'text' },
      start: '2026-03-09',
    };
    project = new TestProject(
      {
        data: { path: 'data/raw', target: 'species' },
        collect: { then: 'train', sources: { flowers } },
      },
      { RETRAIN_COLLECT_HOSTS: '127.0.0.1:*' },
    );
  });
  afterAll(async () => {
    await project.remove();
    await server.stop();
  });

  const waits = (): RegExp =>
    new RegExp(`waits on task queue ${project.taskQueue}, which no worker polls; start one: .npm run worker`);

  test('a collection says that its training waits, and the data are there', async () => {
    const day = ['--day', '2026-03-09', '--now', '2026-03-09T12:00:00Z'];
    const collected = await project.cli(['collect', ...day]);
    expect(collected).toMatchObject({ code: 4, stderr: expect.stringMatching(waits()) as string });
    expect(collected.stdout).toContain('flowers 2026-03-09  new  60 rows');
    expect(collected.stdout).toContain('Started train-');
    // It was started, and is not forgotten: there is nothing more to start.
    expect(await project.cli(['collect', ...day])).toMatchObject({ code: 0, stderr: '' });
  });

  test('a start says so, and is none that failed: it may be meant so', async () => {
    project.writeParams({});
    const started = await project.cli(['start']);
    expect(started).toMatchObject({ code: 0, stderr: expect.stringMatching(waits()) as string });
  });

  test('a schedule is made, with a word about it; one that is triggered fails with it', async () => {
    const made = await project.cli(['schedule', 'create', '--cron', '0 6 1 1 *', '--name', project.model]);
    expect(made).toMatchObject({ code: 0 });
    expect(made.stderr).toContain(`no worker polls task queue ${project.taskQueue}`);
    const triggered = await project.cli(['schedule', 'trigger', project.model, '--json']);
    expect(triggered).toMatchObject({ code: 4 });
    expect(JSON.parse(triggered.stdout)).toMatchObject({ error: { code: 'NO_WORKER' } });
    expect(triggered.stderr).toMatch(/scheduled-iris-\S+ waits on task queue/);
    await project.cli(['schedule', 'delete', project.model]);
  });
});
