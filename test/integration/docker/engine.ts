import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { createEngine } from '../../../integrations/docker/engine';
import { dockerSettings, type DockerSettings } from '../../../integrations/docker/settings';
import { describeWith } from '../../tools/needs';

const ROOT = path.resolve(__dirname, '..', '..', '..');

/** A shell and Node: what the tests' own little stages are written in. `scripts/setup-docker.sh images` makes it. */
export const BASE_IMAGE = 'node:22-bookworm-slim';

/** Address of the engine that tests use, or '' when there is none. */
export const dockerHost = script('host');

/** `describe`, where there is a Docker engine. */
export function describeWithDocker(name: string, tests: () => void): void {
  describeWith('docker', dockerHost !== '')(name, tests);
}

/** Settings of a worker that allows the tests' images. */
export function testSettings(env: Record<string, string> = {}): DockerSettings {
  return dockerSettings({ DOCKER_HOST: dockerHost, RETRAIN_DOCKER_IMAGES: 'node:*,retrain/*', ...env });
}

export const engine = createEngine(dockerSettings({ DOCKER_HOST: dockerHost }));

// Where the machine has no docker command, that of the engine that the set-up has unpacked.
process.env['PATH'] = `${process.env['PATH'] ?? ''}:${script('path')}`;

function script(command: 'host' | 'path'): string {
  try {
    return execFileSync(path.join(ROOT, 'scripts', 'setup-docker.sh'), [command], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return '';
  }
}
