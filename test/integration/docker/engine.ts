import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { createEngine } from '../../../integrations/docker/engine';
import { dockerSettings, type DockerSettings } from '../../../integrations/docker/settings';

const ROOT = path.resolve(__dirname, '..', '..', '..');

/** A shell and Node: what the tests' own little stages are written in. `scripts/setup-docker.sh images` makes it. */
export const BASE_IMAGE = 'node:22-bookworm-slim';

/** Address of the engine that tests use, or '' when there is none. */
export const dockerHost = findHost();

/**
 * `describe`, where there is a Docker engine. Without one its tests are skipped, with one loud line; in CI that is a failure.
 */
export function describeWithDocker(name: string, tests: () => void): void {
  if (dockerHost !== '') {
    describe(name, tests);
    return;
  }
  const line = `NO DOCKER ENGINE: skipped "${name}"; start one: eval "$(scripts/setup-docker.sh start)" && scripts/setup-docker.sh images`;
  if (process.env['CI'] === 'true') {
    test(name, () => {
      throw new Error(line);
    });
    return;
  }
  process.stderr.write(`${line}\n`);
  describe.skip(name, tests);
}

/** Settings of a worker that allows the tests' images. */
export function testSettings(env: Record<string, string> = {}): DockerSettings {
  return dockerSettings({ DOCKER_HOST: dockerHost, RETRAIN_DOCKER_IMAGES: 'node:*,retrain/*', ...env });
}

export const engine = createEngine(dockerSettings({ DOCKER_HOST: dockerHost }));

function findHost(): string {
  try {
    return execFileSync(path.join(ROOT, 'scripts', 'setup-docker.sh'), ['host'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return '';
  }
}
