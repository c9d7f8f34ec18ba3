import { type ContainerOptions } from '../../../contracts/container';
import { containerSpec } from '../../../integrations/docker/stage-container';

const specOf = (options: Partial<ContainerOptions> = {}) =>
  containerSpec({
    stage: 'train',
    image: 'sha256:abc',
    options: { image: 'retrain/stage:1', ...options },
    owner: { workflowId: 'train-iris', workflowRunId: 'run', activityId: '3', attempt: 2 },
    scope: 'namespace',
    dir: '/worker/scratch/a',
    hostDir: '/host/scratch/a',
    user: '65532:65532',
    memoryBytes: 2 * 1024 ** 3,
    env: { STAGE_TOKEN: 'abc' },
  });

describe('what the engine is told about a stage', () => {
  test('asks for no GPU unless the stage does', () => {
    expect(specOf().HostConfig).not.toHaveProperty('DeviceRequests');
  });

  // As `docker run --gpus 2` and `--gpus all` send it.
  test.each([
    [2, 2],
    ['all', -1],
  ] as const)('asks for %s GPUs as docker run --gpus does', (gpus, count) => {
    expect(specOf({ gpus }).HostConfig?.DeviceRequests).toEqual([{ Count: count, Capabilities: [['gpu']] }]);
  });

  test('has no way to be privileged, whatever the stage says', () => {
    const asked = { privileged: true, cap_add: ['SYS_ADMIN'], pid: 'host' } as Partial<ContainerOptions>;
    expect(specOf(asked)).toEqual(specOf());
    expect(specOf().HostConfig).toMatchObject({ Privileged: false, CapDrop: ['ALL'], ReadonlyRootfs: true });
  });

  test('mounts the three things of the stage contract, out/ alone to be written to', () => {
    expect(
      specOf().HostConfig?.Mounts?.map(({ Source, Target, ReadOnly }) => [Source, Target, ReadOnly]),
    ).toEqual([
      ['/host/scratch/a/in', '/stage/in', true],
      ['/host/scratch/a/params.json', '/stage/params.json', true],
      ['/host/scratch/a/out', '/stage/out', false],
    ]);
  });
});
