import { containerOptions, ownParams } from '../../contracts/container';
import { parseParams } from '../../contracts/parse-params';
import { paramsHash } from '../../ml/hashing/pipeline-key';

const IRIS = { experiment: 'iris', model: 'iris', data: { path: 'iris.csv', target: 'species' } };
const parsed = (train: object) => parseParams({ ...IRIS, train }, 'params.yaml');
const CONTAINER = { executor: 'container', image: 'retrain/stage:1' };

describe('where a stage runs', () => {
  test('is in process unless params.yaml says otherwise', () => {
    const { train } = parsed({});
    expect(train.executor).toBe('in-process');
    expect(containerOptions(train)).toBeUndefined();
  });

  test('a container has an image, and what it asks for', () => {
    const { train } = parsed({ ...CONTAINER, memory: '1g', n_estimators: 5 });
    expect(containerOptions(train)).toEqual({ image: 'retrain/stage:1', memory: '1g' });
    expect(ownParams(train)).toEqual(ownParams(parsed({ n_estimators: 5 }).train));
  });

  test.each([
    [
      { executor: 'container' },
      'params.yaml: train.image needs a value with executor: container, got nothing',
    ],
    [{ image: 'a:1' }, 'params.yaml: train.image needs executor: container beside it, got "a:1"'],
    [{ ...CONTAINER, memory: '2 GB' }, 'must be a size such as 512m or 2g'],
    [{ ...CONTAINER, network: 'host' }, 'must not be host'],
    [{ ...CONTAINER, network: 'container:x' }, 'must be the name of a Docker network'],
    [{ ...CONTAINER, user: '0:0' }, 'must not be root'],
    [{ ...CONTAINER, privileged: true }, 'unknown key privileged in train'],
    [{ ...CONTAINER, volumes: ['/var/run/docker.sock:/s'] }, 'must not be a socket of the container engine'],
    [{ ...CONTAINER, volumes: ['/:/host'] }, 'must not be a system folder of the host'],
    [{ ...CONTAINER, volumes: ['//etc:/host'] }, 'must not be a system folder of the host'],
    [{ ...CONTAINER, volumes: ['/mnt/../etc:/host'] }, 'must not contain ..'],
    [{ ...CONTAINER, env: ['A=1'] }, 'without a value'],
    [{ ...CONTAINER, image: '-v /:/x' }, 'must be an image'],
  ])('%j is refused in one clear line', (train, message) => {
    expect(() => parsed(train)).toThrow(message);
  });

  test('does not rename the run; what the container executes does', () => {
    const hash = (train: object) => paramsHash(parsed(train));
    expect(hash({ ...CONTAINER, cpus: 8, memory: '9g', timeout: '2h', queue: 'retrain-gpu' })).toBe(
      hash(CONTAINER),
    );
    expect(hash({ ...CONTAINER, command: ['other'] })).not.toBe(hash(CONTAINER));
    expect(hash({ queue: 'retrain-gpu' })).toBe(hash({}));
  });
});
