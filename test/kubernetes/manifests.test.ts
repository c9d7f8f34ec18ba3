import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { parseAllDocuments } from 'yaml';

const ROOT = path.resolve(__dirname, '..', '..', 'kubernetes');

interface Resource {
  kind: string;
  resources?: string[];
  patches?: { path: string }[];
  spec?: { template?: { spec: PodSpec } };
}

interface PodSpec {
  terminationGracePeriodSeconds: number;
  automountServiceAccountToken: boolean;
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
    expect(Object.keys(worker?.resources.limits ?? {})).toEqual(['cpu', 'memory']);
    expect(worker).toMatchObject({
      startupProbe: { httpGet: { path: '/live', port: 'health' } },
      readinessProbe: { httpGet: { path: '/ready', port: 'health' } },
      livenessProbe: { httpGet: { path: '/live', port: 'health' } },
      env: expect.arrayContaining([{ name: 'RETRAIN_HEALTH_ADDRESS', value: '0.0.0.0:8081' }]) as object[],
    });
    expect(pod?.volumes.some((volume) => 'hostPath' in volume)).toBe(false);
  });

  test('give it longer to stop than the heartbeat limit and its own grace together', () => {
    const [deployment] = resourcesIn(path.join(ROOT, 'worker', 'deployment.yaml'));
    expect(deployment?.spec?.template?.spec.terminationGracePeriodSeconds).toBeGreaterThan(10 + 5);
  });
});
