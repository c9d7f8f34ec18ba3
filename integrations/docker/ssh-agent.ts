import { spawn } from 'node:child_process';
import { Agent } from 'node:http';
import { Duplex } from 'node:stream';

/** An engine's host as `ssh` is told it; what is absent, ~/.ssh/config says. */
export interface SshAddress {
  host: string;
  port?: number;
  username?: string;
}

/**
 * Connects to an engine as the docker command does: by the machine's own `ssh`, which knows the keys, the configuration, and the hosts
 * that are trusted, and by `docker system dial-stdio` at the other end.
 */
export class SshAgent extends Agent {
  /** @param program that is run as `ssh` */
  constructor(
    private readonly address: SshAddress,
    private readonly program = 'ssh',
  ) {
    super({ keepAlive: false });
  }

  override createConnection(): Duplex {
    const { host, port, username } = this.address;
    return dial(this.program, [
      // Nobody is there to answer a question: an unknown host or key is an error.
      ...['-T', '-o', 'BatchMode=yes', '-o', 'ConnectTimeout=15'],
      ...(username === undefined ? [] : ['-l', username]),
      ...(port === undefined ? [] : ['-p', String(port)]),
      ...['--', host, 'docker', 'system', 'dial-stdio'],
    ]);
  }
}

/** What a program reads and writes, as a connection; fails with the last line that the program complained with. */
function dial(program: string, args: readonly string[]): Duplex {
  const child = spawn(program, args, { stdio: 'pipe' });
  let complaint = '';
  const connection = new Duplex({
    read: () => child.stdout.resume(),
    write: (chunk: Buffer, _encoding, done) => child.stdin.write(chunk, () => done()),
    final: (done) => child.stdin.end(done),
    destroy: (error, done) => {
      child.kill();
      done(error);
    },
  });
  child.stdout.on('data', (chunk: Buffer) => {
    if (!connection.push(chunk)) child.stdout.pause();
  });
  child.stderr.on('data', (chunk: Buffer) => (complaint = `${complaint}${chunk.toString()}`.slice(-2000)));
  // What it died of is told by its end.
  child.stdin.on('error', () => undefined);
  child.on('error', (error) => connection.destroy(error));
  child.on('close', (code) => {
    if (code === 0) connection.push(null);
    else {
      const [line = ''] = complaint.trim().split('\n').slice(-1);
      connection.destroy(new Error(`ssh: ${line.replace(/^ssh: /, '').trim() || `exit code ${code}`}`));
    }
  });
  return connection;
}
