import { chownSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { compose, SECRETS } from '../../compose/docker-compose';
import { dockerHost, engine } from './engine';

const SOCKET = dockerHost.replace('unix://', '');

/** Who the workers run as: not root, as on an operator's machine. */
const UID = process.getuid?.() || 4321;
const GID = process.getgid?.() || 4321;

/** Our part of docker-compose.yml, as a project of its own, with images of the tag `test`. */
export class ComposeStack {
  private readonly env: Readonly<Record<string, string>>;

  /**
   * @param name of the compose project
   * @param env what the user's `.env` would say
   */
  constructor(
    private readonly name: string,
    env: Readonly<Record<string, string>>,
  ) {
    this.env = {
      ...SECRETS,
      DOCKER_HOST: dockerHost,
      DOCKER_SOCKET: SOCKET,
      DOCKER_GROUP: String(statSync(SOCKET).gid),
      RETRAIN_VERSION: 'test',
      RETRAIN_USER: `${UID}:${GID}`,
      ...env,
    };
  }

  /** Brings up these services without those they depend on, and waits until they are healthy. */
  up(...services: string[]): void {
    this.run('up', '--detach', '--wait', '--no-deps', ...services);
  }

  down(...options: string[]): void {
    this.run('down', '--timeout', '20', ...options);
  }

  /** Files of the workers' content store. */
  storedFiles(): string[] {
    return this.exec('worker', 'find', '/state/cache/files', '-type', 'f').split('\n').sort();
  }

  /** Runs a command in a service's container and returns what it printed. */
  exec(service: string, ...command: string[]): string {
    return this.run('exec', '--no-TTY', service, ...command).trim();
  }

  /** Names of the containers, networks and volumes of this project that there are. */
  async left(): Promise<{ containers: string[]; networks: string[]; volumes: string[] }> {
    const filters = { label: [`com.docker.compose.project=${this.name}`] };
    const [containers, networks, { Volumes }] = await Promise.all([
      engine.listContainers({ all: true, filters }),
      engine.listNetworks({ filters }),
      engine.listVolumes({ filters }),
    ]);
    return {
      containers: containers.flatMap(({ Names }) => Names),
      networks: networks.map(({ Name }) => Name),
      volumes: Volumes.map(({ Name }) => Name),
    };
  }

  private run(command: string, ...args: string[]): string {
    const override = path.join(__dirname, 'embedded.yml');
    return compose(
      ['--file', override, '--project-name', this.name, '--profile', '*', command, ...args],
      this.env,
    );
  }
}

/** Makes a folder the workers' own, where it is root's. */
export function giveToWorkers(dir: string): void {
  if (process.getuid?.() !== 0) return;
  chownSync(dir, UID, GID);
  for (const entry of readdirSync(dir, { withFileTypes: true, recursive: true })) {
    chownSync(path.join(entry.parentPath, entry.name), UID, GID);
  }
}
