import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { testWith } from '../../tools/needs';
import { OwnEngine } from './own-engine';

jest.setTimeout(180_000);

const onRoot = testWith('second-engine', OwnEngine.possible());

function digestOf(file: string): string {
  return existsSync(file) ? createHash('sha256').update(readFileSync(file)).digest('hex') : 'none';
}

/** What an engine that is installed and started by hand changes of a machine. */
function machine(): Record<string, unknown> {
  return {
    interfaces: readdirSync('/sys/class/net').sort(),
    forwarding: readFileSync('/proc/sys/net/ipv4/ip_forward', 'utf8').trim(),
    rules: ['/proc/net/ip_tables_names', '/proc/net/ip6_tables_names'].map(digestOf),
    certificates: digestOf('/etc/ssl/certs/ca-certificates.crt'),
    packages: digestOf('/var/lib/dpkg/status'),
    units: existsSync('/etc/docker') || existsSync('/var/run/docker.sock'),
  };
}

const cgroups = (): string[] => {
  const root = '/sys/fs/cgroup';
  const parents = ['.', ...readdirSync(root)].map((name) => `${root}/${name}`);
  return parents.flatMap((parent) => {
    try {
      return readdirSync(parent)
        .filter((name) => name.startsWith('retrain-docker-'))
        .map((name) => `${parent}/${name}`);
    } catch {
      return [];
    }
  });
};

describe('an engine that scripts/setup-docker.sh starts', () => {
  onRoot(
    'changes nothing of the machine, neither while it runs nor after, though it has a bridge and rules',
    () => {
      const before = machine();
      const groups = cgroups();
      const engine = new OwnEngine('');
      try {
        engine.start();
        const networks = execFileSync(
          'docker',
          ['--host', engine.host, 'network', 'ls', '--format', '{{.Name}}'],
          {
            encoding: 'utf8',
          },
        );
        expect(networks.split('\n')).toContain('bridge');
        expect(machine()).toEqual(before);
      } finally {
        engine.remove();
      }
      expect(machine()).toEqual(before);
      expect(cgroups()).toEqual(groups);
      expect(readFileSync('/proc/mounts', 'utf8')).not.toContain(
        engine.host.replace(/^unix:|run.docker.sock$/g, ''),
      );
    },
  );

  onRoot('ends with the last process that it was started for', async () => {
    const other = spawn('sleep', ['600'], { stdio: 'ignore' });
    const engine = new OwnEngine();
    try {
      engine.start(process.pid);
      engine.start(other.pid);
      engine.release(process.pid);
      expect(engine.runs()).toBe(true);
      engine.start(process.pid);
      // One that was killed holds nothing.
      other.kill('SIGKILL');
      await once(other, 'exit');
      engine.release(process.pid);
      expect(engine.runs()).toBe(false);
    } finally {
      other.kill('SIGKILL');
      engine.remove();
    }
  });
});
