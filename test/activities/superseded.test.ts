import { supersededBy } from '../../activities/superseded';
import { createMlflow } from '../../integrations/mlflow/client';
import { mlflowSettings } from '../../integrations/mlflow/settings';
import { MemoryMlflow } from '../integrations/mlflow/memory-mlflow';

const mlflow = createMlflow(mlflowSettings({ MLFLOW_TRACKING_URI: 'http://memory' }), {
  exchange: new MemoryMlflow(),
});
const { signal } = new AbortController();

beforeAll(async () => {
  await mlflow.registry.ensureModel('iris');
  const experiment = await mlflow.experiments.ensure('iris');
  for (const name of ['one', 'two']) {
    const { runId } = await mlflow.runs.findOrCreateTagged(experiment, name, ['made', name]);
    await mlflow.registry.findOrCreateVersion({
      name: 'iris',
      runId,
      source: `runs:/${runId}/model`,
      tags: {},
    });
  }
  await mlflow.registry.setAlias('iris', 'production', '2');
});

test.each([
  ['iris@production', '1', '2'],
  ['iris', '1', '2'],
  ['iris@production', '2', null],
  ['iris@1', '1', null],
  // Nobody is in its place.
  ['iris@staging', '1', null],
  ['trees@production', '1', null],
  [undefined, '1', null],
])('a check of %s that looked at version %s was superseded by %s', async (asked, checked, by) => {
  expect(await supersededBy(mlflow, asked, checked, signal)).toBe(by);
});
