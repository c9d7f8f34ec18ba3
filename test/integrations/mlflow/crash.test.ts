import { mlflowSettings } from '../../../integrations/mlflow/settings';
import { CrashRig } from './crash-rig';
import { MemoryMlflow } from './memory-mlflow';

describe('a run whose worker dies, or whose answers are lost, at every request', () => {
  const memory = new MemoryMlflow();
  const rig = new CrashRig(mlflowSettings({ MLFLOW_TRACKING_URI: 'http://memory' }), () => memory);
  let requests: number;
  beforeAll(async () => {
    requests = await rig.requests();
  });
  afterAll(() => rig.close());

  test('a whole run is about twenty requests', () => {
    expect(requests).toBeGreaterThan(12);
    expect(requests).toBeLessThan(25);
  });

  test.each(['before', 'after'] as const)(
    'the worker dies %s the effect of request 1, 2, 3 …: the next attempt leaves one run and one version',
    async (fault) => {
      for (let request = 1; request <= requests; request += 1) await rig.diesAt(request, fault);
    },
  );

  test.each(['before', 'after'] as const)(
    'the connection breaks once %s the effect of request 1, 2, 3 …: the same attempt goes on and leaves one of each',
    async (fault) => {
      for (let request = 1; request <= requests; request += 1) await rig.breaksAt(request, fault);
    },
  );
});
