import Docker from 'dockerode';
import { type DockerSettings, type EngineAddress } from './settings';
import { SshAgent } from './ssh-agent';

/** A client of the engine; connects with the first call. @param ssh the program that is run for an engine over SSH */
export function createEngine({ engine }: Pick<DockerSettings, 'engine'>, ssh?: string): Docker {
  return new Docker(modemOptions(engine, ssh));
}

function modemOptions(
  engine: EngineAddress,
  ssh: string | undefined,
): Docker.DockerOptions & { agent?: SshAgent } {
  switch (engine.kind) {
    case 'unix':
      // An empty host, as the client falls back to the environment's for what it is not given.
      return { host: '', socketPath: engine.socketPath };
    case 'tcp':
      return {
        host: engine.host,
        port: engine.port,
        protocol: engine.tls === undefined ? 'http' : 'https',
        ...engine.tls,
      };
    case 'ssh':
      return { host: engine.host, port: 80, protocol: 'http', agent: new SshAgent(engine, ssh) };
  }
}
