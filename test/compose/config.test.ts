import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parse } from 'yaml';
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
  networks?: Record<string, unknown>;
  mem_limit?: string;
  cpus?: number;
  pids_limit?: number;
  read_only?: boolean;
  cap_drop?: string[];
  security_opt?: string[];
  tmpfs?: string[];
}

interface Model {
  services: Record<string, Service>;
  volumes: Record<string, object>;
  networks: Record<string, { internal?: boolean }>;
}

const ROOT = path.resolve(__dirname, '..', '..');

const EVERYTHING = ['--profile', '*'];

/** The file as docker compose understands it. */
function model(env: Record<string, string> = SECRETS): Model {
  return JSON.parse(compose([...EVERYTHING, 'config', '--format', 'json'], env)) as Model;
}

/** What ends by itself. */
const RESTART: Readonly<Record<string, string>> = { bucket: 'on-failure', collector: 'no' };

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
        'collector',
      ]),
    );
  });

  test('says which secret is missing', () => {
    for (const name of Object.keys(SECRETS)) {
      expect(() => model({ ...SECRETS, [name]: '' })).toThrow(new RegExp(`set ${name}, by make compose-env`));
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
      expect(service.restart).toBe(RESTART[name] ?? 'unless-stopped');
      for (const [needed, { condition }] of Object.entries(service.depends_on ?? {})) {
        if (condition !== 'service_healthy') continue;
        // Our worker's image brings its own.
        expect(services[needed]?.healthcheck).toBeDefined();
      }
    }
  });

  test('bounds memory, CPU and processes of every service, and what each may do', () => {
    for (const [name, service] of Object.entries(model().services)) {
      expect({ name, bounded: [service.mem_limit, service.cpus, service.pids_limit].every(Boolean) }).toEqual(
        {
          name,
          bounded: true,
        },
      );
      expect(service.security_opt).toEqual(['no-new-privileges:true']);
      // These two write their configuration when they start.
      expect(service.read_only ?? false).toBe(!['temporal', 'temporal-ui'].includes(name));
      // Started as root, it makes its folders its own.
      expect(service.cap_drop ?? []).toEqual(name === 'postgres' ? [] : ['ALL']);
    }
  });

  test('gives each of the servers’ passwords to those alone that need it, and none to a worker', () => {
    const { services } = model();
    const holders = Object.fromEntries(
      Object.entries(SECRETS).map(([name, value]) => [
        name,
        Object.keys(services).filter((service) => JSON.stringify(services[service]).includes(value)),
      ]),
    );
    expect(holders).toEqual({
      POSTGRES_PASSWORD: ['postgres'],
      TEMPORAL_DB_PASSWORD: ['postgres', 'temporal'],
      MLFLOW_DB_PASSWORD: ['mlflow', 'postgres'],
      MINIO_ROOT_PASSWORD: ['bucket', 'storage'],
      MLFLOW_S3_SECRET_KEY: ['bucket', 'mlflow'],
      GRAFANA_PASSWORD: ['grafana'],
    });
    // The file that has them is in the project's folder.
    for (const name of ['worker', 'worker-docker']) {
      expect(services[name]?.tmpfs).toContain('/project/.retrain:mode=0700');
    }
  });

  test('lets workers reach Temporal and MLflow, and nothing behind them', () => {
    const { services, networks } = model();
    expect(networks['data']?.internal).toBe(true);
    expect(networks['storage']?.internal).toBe(true);
    const inNetwork = (network: string): string[] =>
      Object.keys(services)
        .filter((name) => Object.keys(services[name]?.networks ?? {}).includes(network))
        .sort();
    expect(inNetwork('control')).toEqual([
      'api',
      'collector',
      'mlflow',
      'temporal',
      'temporal-ui',
      'worker',
      'worker-docker',
    ]);
    expect(inNetwork('metrics')).toEqual(['api', 'grafana', 'prometheus', 'worker', 'worker-docker']);
    expect(inNetwork('data')).toEqual(['mlflow', 'postgres', 'temporal']);
    expect(inNetwork('storage')).toEqual(['bucket', 'mlflow', 'storage']);
  });

  test('has an API for this machine only, which can write nothing of the project and reads no passwords', () => {
    const { api } = model().services;
    expect(api?.ports).toEqual([
      expect.objectContaining({ host_ip: '127.0.0.1', published: '8000', target: 8000 }),
    ]);
    expect(api?.volumes).toContainEqual(
      expect.objectContaining({ target: '/project', read_only: true }) as object,
    );
    expect(api?.tmpfs).toContain('/project/.retrain:mode=0700');
    expect(api).toMatchObject({ read_only: true, cap_drop: ['ALL'] });
  });

  test('has Prometheus and Grafana in a profile, with our rules and dashboards, for whoever has the password', () => {
    const { prometheus, grafana, worker } = model().services;
    expect([prometheus?.profiles, grafana?.profiles]).toEqual([['monitoring'], ['monitoring']]);
    expect(grafana?.environment).toMatchObject({
      GF_SECURITY_ADMIN_PASSWORD: SECRETS.GRAFANA_PASSWORD,
      GF_AUTH_ANONYMOUS_ENABLED: 'false',
      GF_USERS_ALLOW_SIGN_UP: 'false',
      RETRAIN_PROMETHEUS_URL: 'http://prometheus:9090',
    });
    for (const [service, files] of [
      [prometheus, ['monitoring/compose/prometheus.yml', 'monitoring/rules']],
      [grafana, ['monitoring/grafana/provisioning', 'monitoring/grafana/dashboards']],
    ] as const) {
      const mounted = (service?.volumes ?? []).filter(({ type }) => type === 'bind');
      expect(mounted.map(({ source }) => path.relative(ROOT, source))).toEqual(files);
      for (const mount of mounted) expect(mount).toMatchObject({ read_only: true });
    }
    const { scrape_configs: jobs } = parse(
      readFileSync(path.join(ROOT, 'monitoring/compose/prometheus.yml'), 'utf8'),
    ) as { scrape_configs: { job_name: string; dns_sd_configs?: { names: string[]; port: number }[] }[] };
    expect(jobs.map(({ job_name: name }) => name)).toEqual(['retrain-worker', 'retrain-api']);
    const [workers] = jobs[0]?.dns_sd_configs ?? [];
    expect(workers?.names).toEqual(['worker', 'worker-docker']);
    expect(worker?.environment['RETRAIN_HEALTH_ADDRESS']).toBe(`0.0.0.0:${workers?.port}`);
  });

  test('names the image of every other’s server for Renovate, which pins digests', () => {
    const text = readFileSync(path.join(ROOT, 'docker-compose.yml'), 'utf8');
    const images = [
      ...text.matchAll(/^( +# renovate: datasource=docker depName=(\S+)\n)? +image: ([^:\s]+):/gm),
    ];
    const others = images.filter(([, , , image = '']) => !image.startsWith('retrain/'));
    expect(others.length).toBeGreaterThan(4);
    for (const [, , named, image] of others) expect(named).toBe(image);
    const renovate = JSON.parse(readFileSync(path.join(ROOT, 'renovate.json'), 'utf8')) as {
      extends: string[];
    };
    expect(renovate.extends).toContain('docker:pinDigests');
  });

  test('has a MinIO policy for one bucket, and a script that makes passwords once, for their owner only', () => {
    const policy = readFileSync(path.join(ROOT, 'images/compose/bucket-policy.json'), 'utf8');
    const { Statement } = JSON.parse(policy) as { Statement: { Resource: string[]; Action: string[] }[] };
    expect(Statement.flatMap(({ Resource }) => Resource)).toEqual([
      'arn:aws:s3:::mlflow',
      'arn:aws:s3:::mlflow/*',
    ]);
    expect(policy).not.toMatch(/"s3:\*"|"\*"/);

    const copy = mkdtempSync(path.join(tmpdir(), 'compose-env-'));
    try {
      mkdirSync(path.join(copy, 'scripts'));
      copyFileSync(path.join(ROOT, 'scripts/compose-env.sh'), path.join(copy, 'scripts/compose-env.sh'));
      const run = (): string => execFileSync(path.join(copy, 'scripts/compose-env.sh'), { encoding: 'utf8' });
      expect(run()).toBe('--env-file .retrain/compose.env\n');
      const file = path.join(copy, '.retrain/compose.env');
      const made = readFileSync(file, 'utf8');
      expect(
        made
          .trim()
          .split('\n')
          .map((line) => line.split('=')[0]),
      ).toEqual(Object.keys(SECRETS));
      expect(new Set(made.match(/=[0-9a-f]{48}$/gm)).size).toBe(6);
      expect(statSync(file).mode & 0o777).toBe(0o600);
      writeFileSync(path.join(copy, '.env'), '');
      expect(run()).toBe('--env-file .env --env-file .retrain/compose.env\n');
      expect(readFileSync(file, 'utf8')).toBe(made);
    } finally {
      rmSync(copy, { recursive: true });
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
