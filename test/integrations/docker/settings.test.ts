import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { dockerSettings } from '../../../integrations/docker/settings';

describe('DOCKER_HOST', () => {
  test('names a socket, by default the system’s', () => {
    expect(dockerSettings({}).engine).toEqual({ kind: 'unix', socketPath: '/var/run/docker.sock' });
    expect(dockerSettings({ DOCKER_HOST: 'unix:///run/user/1000/docker.sock' }).engine).toEqual({
      kind: 'unix',
      socketPath: '/run/user/1000/docker.sock',
    });
  });

  test('names a TCP port, with certificates when TLS is asked for', () => {
    expect(dockerSettings({ DOCKER_HOST: 'tcp://builder:2375' }).engine).toEqual({
      kind: 'tcp',
      host: 'builder',
      port: 2375,
    });
    const folder = mkdtempSync(path.join(tmpdir(), 'retrain-certificates-'));
    for (const name of ['ca', 'cert', 'key']) writeFileSync(path.join(folder, `${name}.pem`), name);
    const env = { DOCKER_HOST: 'tcp://builder:2376', DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: folder };
    expect(dockerSettings(env).engine).toMatchObject({
      port: 2376,
      tls: { ca: Buffer.from('ca'), cert: Buffer.from('cert'), key: Buffer.from('key') },
    });
    rmSync(folder, { recursive: true });
    expect(() => dockerSettings(env)).toThrow(/not all of ca.pem, cert.pem and key.pem/);
  });

  test('names a host over SSH, whose port and user may be left to ssh', () => {
    const ssh = (host: string) => dockerSettings({ DOCKER_HOST: host }).engine;
    expect(ssh('ssh://ml@gpu-box:2222')).toEqual({
      kind: 'ssh',
      host: 'gpu-box',
      port: 2222,
      username: 'ml',
    });
    expect(ssh('ssh://gpu-box')).toEqual({ kind: 'ssh', host: 'gpu-box' });
  });

  test.each(['gpu-box', 'ftp://gpu-box'])('%s is refused', (host) => {
    expect(() => dockerSettings({ DOCKER_HOST: host })).toThrow(
      `DOCKER_HOST must be unix:///path, tcp://host:port or ssh://user@host, got ${host}`,
    );
  });
});
