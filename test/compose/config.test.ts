import { compose, describeWithCompose, SECRETS } from './docker-compose';

interface Service {
  image: string;
  profiles?: string[];
  restart?: string;
  build?: object;
  ports?: { host_ip?: string; published: string; target: number }[];
  healthcheck?: object;
  depends_on?: Record<string, { condition: string }>;
  environment: Record<string, string>;
  volumes?: { type: string; source: string; target: string }[];
  network_mode?: string;
  privileged?: boolean;
}

interface Model {
  services: Record<string, Service>;
  volumes: Record<string, object>;
}

const EVERYTHING = ['--profile', '*'];

/** The file as docker compose understands it. */
function model(env: Record<string, string> = SECRETS): Model {
  return JSON.parse(compose([...EVERYTHING, 'config', '--format', 'json'], env)) as Model;
}

describeWithCompose('docker-compose.yml', () => {
  test('is one that docker compose accepts, with every profile', () => {
    expect(Object.keys(model().services)).toEqual(
      expect.arrayContaining([
        'postgres',
        'temporal',
        'temporal-ui',
        'storage',
        'mlflow',
        'worker',
        'worker-docker',
      ]),
    );
  });

  test('says which secret is missing', () => {
    for (const name of Object.keys(SECRETS)) {
      expect(() => model({ ...SECRETS, [name]: '' })).toThrow(new RegExp(`set ${name} in .env`));
    }
  });

  test('publishes nothing beyond this machine, and shares none of its namespaces', () => {
    for (const service of Object.values(model().services)) {
      for (const port of service.ports ?? []) expect(port.host_ip).toBe('127.0.0.1');
      expect(service.network_mode).toBeUndefined();
      expect(service.privileged ?? false).toBe(false);
    }
  });

  test('pins every image, restarts every server, and waits for a healthy one', () => {
    const { services } = model();
    for (const [name, service] of Object.entries(services)) {
      expect(service.image).toMatch(/:[\w.-]*\d/);
      expect(service.restart).toBe(name === 'bucket' ? 'on-failure' : 'unless-stopped');
      for (const [needed, { condition }] of Object.entries(service.depends_on ?? {})) {
        if (condition !== 'service_healthy') continue;
        // Our worker's image brings its own.
        expect(services[needed]?.healthcheck).toBeDefined();
      }
    }
  });

  test('keeps all state in named volumes', () => {
    const { services, volumes } = model();
    const kept = Object.values(services).flatMap((service) =>
      (service.volumes ?? []).filter(({ type }) => type === 'volume').map(({ source }) => source),
    );
    expect([...new Set(kept)].sort()).toEqual(Object.keys(volumes).sort());
    for (const name of ['postgres', 'storage', 'worker']) {
      expect(services[name]?.volumes?.some(({ type }) => type === 'volume')).toBe(true);
    }
  });

  test('gives the socket to the workers for container stages alone', () => {
    const withSocket = Object.entries(model().services)
      .filter(([, { volumes = [] }]) => volumes.some(({ source }) => source.endsWith('docker.sock')))
      .map(([name, { profiles }]) => [name, profiles]);
    expect(withSocket).toEqual([['worker-docker', ['docker']]]);
  });
});
