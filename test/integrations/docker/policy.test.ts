import { type RetrainError } from '../../../contracts/errors';
import { requireAllowed } from '../../../integrations/docker/policy';
import { dockerSettings } from '../../../integrations/docker/settings';

const DIGEST = `sha256:${'a'.repeat(64)}`;

function refusal(options: object, env: Record<string, string> = {}): string {
  try {
    requireAllowed('train', { image: 'retrain/stage:1', ...options }, dockerSettings(env));
    return '';
  } catch (error) {
    expect((error as RetrainError).code).toBe('CONTAINER_REFUSED');
    return (error as RetrainError).message;
  }
}

describe('what params.yaml asks for', () => {
  test('is granted for our own images', () => {
    expect(refusal({})).toBe('');
  });

  test.each(['python:3', 'evil/retrain/stage', 'retrainx/stage', 'host/retrain/stage'])(
    'is refused for the image %s, naming the setting that would allow it',
    (image) => {
      expect(refusal({ image })).toMatch(/does not allow the image .*RETRAIN_DOCKER_IMAGES/);
    },
  );

  test('is granted by pattern, in which a dot is a dot', () => {
    const env = { RETRAIN_DOCKER_IMAGES: 'ghcr.io/team/*' };
    expect(refusal({ image: 'ghcr.io/team/train:2' }, env)).toBe('');
    expect(refusal({ image: 'ghcrXio/team/train:2' }, env)).not.toBe('');
  });

  test('must be pinned where the operator says so', () => {
    const env = { RETRAIN_DOCKER_REQUIRE_DIGEST: '1' };
    expect(refusal({}, env)).toMatch(/pinned images only/);
    expect(refusal({ image: `retrain/stage@${DIGEST}` }, env)).toBe('');
  });

  test('gets no variable and no folder that the operator has not named', () => {
    expect(refusal({ env: ['AWS_SECRET_ACCESS_KEY'] })).toMatch(/RETRAIN_DOCKER_ENV/);
    expect(refusal({ env: ['STAGE_LICENCE'] })).toBe('');
    expect(refusal({ volumes: ['/mnt/data:/data:ro'] })).toMatch(/RETRAIN_DOCKER_VOLUMES/);
    expect(refusal({ volumes: ['/mnt/data:/data:ro'] }, { RETRAIN_DOCKER_VOLUMES: '/mnt/*' })).toBe('');
  });

  test('gets no namespace of the host', () => {
    expect(refusal({ network: 'host' })).toMatch(/no namespace of its host/);
    expect(refusal({ network: 'container:db' })).toMatch(/no namespace of its host/);
  });
});
