import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { parseAllDocuments } from 'yaml';

const ROOT = path.resolve(__dirname, '..', '..', 'kubernetes');

interface Resource {
  kind: string;
  resources?: string[];
  patches?: { path: string }[];
  spec?: { template?: { metadata: { annotations: Record<string, string> }; spec: PodSpec } };
}

interface NetworkPolicy {
  policyTypes: string[];
  ingress: object[];
  egress: { to: { ipBlock?: { except: string[] } }[]; ports: { port: number }[] }[];
}

interface PodSpec {
  terminationGracePeriodSeconds: number;
  automountServiceAccountToken: boolean;
  topologySpreadConstraints: { topologyKey: string }[];
  securityContext: { runAsNonRoot: boolean; seccompProfile: { type: string } };
  containers: {
    securityContext: { allowPrivilegeEscalation: boolean; readOnlyRootFilesystem: boolean };
    resources: { limits: Record<string, string> };
    startupProbe: object;
    readinessProbe: object;
    livenessProbe: object;
  }[];
  volumes: Record<string, unknown>[];
}

const folders = readdirSync(ROOT);

function resourcesIn(file: string): Resource[] {
  return parseAllDocuments(readFileSync(file, 'utf8')).map((document) => document.toJS() as Resource);
}

describe('the Kubernetes manifests', () => {
  test.each(folders)('%s names files and folders that are there', (name) => {
    const folder = path.join(ROOT, name);
    const [kustomization] = resourcesIn(path.join(folder, 'kustomization.yaml'));
    const named = [
      ...(kustomization?.resources ?? []),
      ...(kustomization?.patches ?? []).map((patch) => patch.path),
    ];
    for (const file of named) {
      const there = path.resolve(folder, file);
      expect(existsSync(there)).toBe(true);
      if (statSync(there).isDirectory()) {
        expect(existsSync(path.join(there, 'kustomization.yaml'))).toBe(true);
      }
    }
  });

  test('run the worker unprivileged, with limits and probes, and without an engine’s socket', () => {
    const [deployment] = resourcesIn(path.join(ROOT, 'worker', 'deployment.yaml'));
    const pod = deployment?.spec?.template?.spec;
    expect(pod?.securityContext).toMatchObject({
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(pod?.automountServiceAccountToken).toBe(false);
    const [worker] = pod?.containers ?? [];
    expect(worker?.securityContext).toMatchObject({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(Object.keys(worker?.resources.limits ?? {})).toEqual(['cpu', 'memory', 'ephemeral-storage']);
    expect(worker).toMatchObject({
      startupProbe: { httpGet: { path: '/live', port: 'health' } },
      readinessProbe: { httpGet: { path: '/ready', port: 'health' } },
      livenessProbe: { httpGet: { path: '/live', port: 'health' } },
      env: expect.arrayContaining([{ name: 'RETRAIN_HEALTH_ADDRESS', value: '0.0.0.0:8081' }]) as object[],
    });
    expect(pod?.volumes.some((volume) => 'hostPath' in volume)).toBe(false);
    expect(pod?.topologySpreadConstraints.map(({ topologyKey }) => topologyKey)).toEqual([
      'kubernetes.io/hostname',
      'topology.kubernetes.io/zone',
    ]);
  });

  test('let it reach names, Temporal, MLflow and TLS, but not the cloud’s metadata, and let nobody reach it but Prometheus', () => {
    const [policy] = parseAllDocuments(
      readFileSync(path.join(ROOT, 'base', 'network-policy.yaml'), 'utf8'),
    ).map((document) => document.toJS() as { spec: NetworkPolicy });
    expect(policy?.spec.policyTypes).toEqual(['Ingress', 'Egress']);
    expect(policy?.spec.ingress).toEqual([
      {
        from: [{ namespaceSelector: { matchLabels: { 'retrain.dev/monitoring': 'true' } } }],
        ports: [{ protocol: 'TCP', port: 8081 }],
      },
    ]);
    const ports = policy?.spec.egress.flatMap((rule) => rule.ports.map(({ port }) => port)) ?? [];
    expect([...new Set(ports)].sort((a, b) => a - b)).toEqual([53, 443, 5000, 7233]);
    const blocks = policy?.spec.egress.flatMap(({ to }) => to.flatMap(({ ipBlock }) => ipBlock ?? [])) ?? [];
    expect(blocks.map(({ except }) => except[0])).toEqual(['169.254.0.0/16', 'fe80::/10']);
  });

  test.each([
    ['worker', '8081'],
    ['api', '8000'],
  ])('tell a Prometheus that looks at pods where the %s has its metrics', (name, port) => {
    const [deployment] = resourcesIn(path.join(ROOT, name, 'deployment.yaml'));
    expect(deployment?.spec?.template?.metadata.annotations).toEqual({
      'prometheus.io/scrape': 'true',
      'prometheus.io/port': port,
      'prometheus.io/path': '/metrics',
    });
  });

  test('drain one worker at a time', () => {
    const [budget] = resourcesIn(path.join(ROOT, 'base', 'disruption-budget.yaml'));
    expect(budget).toMatchObject({ kind: 'PodDisruptionBudget', spec: { maxUnavailable: 1 } });
  });

  test('give it longer to stop than the heartbeat limit and its own grace together', () => {
    const [deployment] = resourcesIn(path.join(ROOT, 'worker', 'deployment.yaml'));
    expect(deployment?.spec?.template?.spec.terminationGracePeriodSeconds).toBeGreaterThan(10 + 5);
  });
});
