import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { placement } from '../../contracts/container';
import { RetrainError } from '../../contracts/errors';
import { parseParams } from '../../contracts/parse-params';
import { digestOfImage } from '../../integrations/docker/digest-of-image';
import { createEngine } from '../../integrations/docker/engine';
import { exactImage, imageDigest } from '../../integrations/docker/images';
import { requireAllowed } from '../../integrations/docker/policy';
import { dockerSettings } from '../../integrations/docker/settings';
import { withDefaults } from '../../integrations/docker/stage-container';
import { type Attack, describeAttacks } from './attack';

const DIGEST = `sha256:${'a'.repeat(64)}`;

/** An engine that only counts who asks. */
let engine: Server;
let asked: string[] = [];
let env: Record<string, string>;

beforeAll(async () => {
  engine = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ Id: DIGEST }));
  });
  await new Promise<void>((resolve) => engine.listen(0, '127.0.0.1', resolve));
  env = { DOCKER_HOST: `tcp://127.0.0.1:${(engine.address() as AddressInfo).port}` };
});
beforeEach(() => (asked = []));
afterAll(() => new Promise((resolve) => engine.close(resolve)));

/** What a stage asks for, before anything is looked up. */
const ask =
  (options: object, operator: Record<string, string> = {}): (() => void) =>
  () =>
    requireAllowed('train', { image: 'retrain/stage:1', ...options }, dockerSettings(operator));

const params = (train: object) => () =>
  parseParams(
    {
      experiment: 'e',
      model: 'm',
      data: { path: 'd.csv', target: 'y' },
      train: { executor: 'container', ...train },
    },
    'params.yaml',
  );

const nobodyAsked = async (lookUp: () => Promise<string>): Promise<string> => {
  const [outcome] = await Promise.allSettled([lookUp()]);
  if (asked.length > 0) throw new Error(`the engine was asked: ${asked.join(', ')}`);
  if (outcome.status === 'rejected') throw outcome.reason;
  return outcome.value;
};

const ATTACKS: Attack[] = [
  {
    name: 'an image of a stranger, looked up on the way into a run, makes the engine call no registry',
    attempt: () =>
      nobodyAsked(() => imageDigest(createEngine(dockerSettings(env)), 'evil/x:1', dockerSettings(env))),
    code: 'CONTAINER_REFUSED',
    says: /does not allow the image evil\/x:1 .*RETRAIN_DOCKER_IMAGES/,
  },
  {
    name: 'an image of a stranger in params.yaml of a pull request makes the command line call no registry',
    attempt: () => nobodyAsked(() => digestOfImage('evil/x:1', env)),
    code: 'CONTAINER_REFUSED',
    says: /does not allow the image evil\/x:1/,
  },
  {
    name: 'a pinned image of a stranger is not pulled when its stage begins',
    attempt: () => {
      const settings = dockerSettings(env);
      return nobodyAsked(() => exactImage(createEngine(settings), `evil/x@${DIGEST}`, DIGEST, settings));
    },
    code: 'CONTAINER_REFUSED',
    says: /does not allow the image/,
  },
  {
    name: 'network: bridge would reach the internet',
    attempt: ask({ network: 'bridge' }),
    code: 'CONTAINER_REFUSED',
    says: /does not allow the network bridge \(allowed: none\).*RETRAIN_DOCKER_NETWORKS/,
  },
  {
    name: 'the network of another container',
    attempt: ask({ network: 'container:db' }, { RETRAIN_DOCKER_NETWORKS: '*' }),
    code: 'CONTAINER_REFUSED',
    says: /no namespace of its host/,
  },
  {
    name: 'cpus: 1000 would starve every other stage',
    attempt: ask({ cpus: 1000 }, { RETRAIN_DOCKER_MAX_CPUS: '4' }),
    code: 'CONTAINER_REFUSED',
    says: /train.cpus: this worker gives at most 4, got 1000; .*RETRAIN_DOCKER_MAX_CPUS/,
  },
  {
    name: 'memory: 900t would wake the machine’s OOM killer',
    attempt: ask({ memory: '900t' }),
    code: 'CONTAINER_REFUSED',
    says: /train.memory: this worker gives at most \d+[gm], got 900t; .*RETRAIN_DOCKER_MAX_MEMORY/,
  },
  {
    name: 'disk: 1000t would fill the machine’s disk',
    attempt: ask({ disk: '1000t' }),
    code: 'CONTAINER_REFUSED',
    says: /train.disk: this worker gives at most 100g, got 1000t; .*RETRAIN_DOCKER_MAX_DISK/,
  },
  {
    name: 'the worker’s cloud key as a variable of a stage',
    attempt: ask({ env: ['AWS_SECRET_ACCESS_KEY'] }),
    code: 'CONTAINER_REFUSED',
    says: /RETRAIN_DOCKER_ENV/,
  },
  {
    name: 'a folder of the host as a volume',
    attempt: ask({ volumes: ['/home:/data:ro'] }),
    code: 'CONTAINER_REFUSED',
    says: /RETRAIN_DOCKER_VOLUMES/,
  },
  {
    name: 'a tag that may move, where only digests are allowed',
    attempt: ask({}, { RETRAIN_DOCKER_REQUIRE_DIGEST: '1' }),
    code: 'CONTAINER_REFUSED',
    says: /pinned images only/,
  },
  {
    name: 'the engine’s socket as a volume',
    attempt: params({ image: 'retrain/stage:1', volumes: ['/x/docker.sock:/s'] }),
    code: 'CONFIG_INVALID',
    says: /must not be a socket of the container engine/,
  },
  {
    name: 'the host’s network by its name',
    attempt: params({ image: 'retrain/stage:1', network: 'host' }),
    code: 'CONFIG_INVALID',
    says: /must not be host/,
  },
  {
    name: 'a stage that wants to be root',
    attempt: params({ image: 'retrain/stage:1', user: '0:0' }),
    code: 'CONFIG_INVALID',
    says: /must not be root/,
  },
  {
    name: 'a privileged container',
    attempt: params({ image: 'retrain/stage:1', privileged: true }),
    code: 'CONFIG_INVALID',
    says: /unknown key privileged/,
  },
];

describeAttacks('what params.yaml asks of an engine', ATTACKS, () => {
  ask({ cpus: 1, memory: '512m', disk: '1g' })();
  ask({ network: 'team-net' }, { RETRAIN_DOCKER_NETWORKS: 'team-*' })();
});

test('an image that is allowed is looked up', async () => {
  const settings = dockerSettings({ ...env, RETRAIN_DOCKER_IMAGES: 'team/*' });
  await expect(imageDigest(createEngine(settings), 'team/x:1', settings)).resolves.toBe(DIGEST);
  expect(asked).toEqual([expect.stringContaining('/images/team/x:1/json')]);
});

test('every key that an operator bounds is one that params.yaml has', () => {
  expect(Object.keys(placement)).toEqual(
    expect.arrayContaining(['image', 'env', 'volumes', 'network', 'cpus', 'memory', 'disk']),
  );
});

test('a stage that does not say gets no more than the most', () => {
  const { memoryBytes, most } = dockerSettings({
    RETRAIN_DOCKER_MAX_MEMORY: '1g',
    RETRAIN_DOCKER_MAX_CPUS: '0.5',
    RETRAIN_DOCKER_MAX_DISK: '1g',
  });
  expect(memoryBytes).toBe(1024 ** 3);
  expect(withDefaults({ image: 'retrain/stage:1' }, most)).toMatchObject({ cpus: 0.5, disk: '1g' });
  expect(() => dockerSettings({ RETRAIN_DOCKER_MAX_CPUS: 'many' })).toThrow(RetrainError);
});
