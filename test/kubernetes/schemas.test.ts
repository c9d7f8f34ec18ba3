import path from 'node:path';
import { parseAllDocuments } from 'yaml';
import { complaints, judged, rendered } from './judges';

const ROOT = path.resolve(__dirname, '..', '..', 'kubernetes');

/** The oldest release that is still in wide use, and the newest one. */
const RELEASES = ['1.31', '1.37'];

interface Rendered {
  kind: string;
  metadata: { name: string; namespace?: string };
  spec: {
    replicas: number;
    selector: { matchLabels: Record<string, string> };
    template: {
      metadata: { labels: Record<string, string> };
      spec: { serviceAccountName: string; containers: Container[]; volumes: Volume[] };
    };
  };
}

interface Container {
  name: string;
  image: string;
  env: { name: string; value: string }[];
  envFrom: { configMapRef?: { name: string } }[];
  resources: { limits: Record<string, string> };
}

interface Volume {
  persistentVolumeClaim?: { claimName: string };
}

judged('what kubectl apply -k sends', () => {
  let base = '';
  let gpu = '';
  beforeAll(() => {
    base = rendered(path.join(ROOT, 'base'));
    gpu = rendered(path.join(ROOT, 'gpu'));
  });

  test.each(RELEASES)('fits the schemas of Kubernetes %s', (release) => {
    expect(complaints(`${base}---\n${gpu}`, release)).toBe('');
  });

  test.each([
    ['a key that the schema does not know', 'readOnlyRootFilesystem', 'readOnlyRootFileSystem'],
    ['a value of the wrong type', 'runAsNonRoot: true', 'runAsNonRoot: "yes"'],
    ['a missing value', 'claimName: retrain-project', '{}'],
  ])('with %s would not', (_what, before, after) => {
    expect(base).toContain(before);
    expect(complaints(base.replace(before, after), RELEASES[1] ?? '')).toMatch(/Validation error|not valid/);
  });

  test('refers to what is there: labels, account, claim, settings, one namespace', () => {
    const objects = [...parsed(base), ...parsed(gpu)];
    const named = (kind: string) =>
      objects.filter((object) => object.kind === kind).map(({ metadata }) => metadata.name);
    const deployments = objects.filter(({ kind }) => kind === 'Deployment');
    expect(deployments.map(({ metadata }) => metadata.name)).toEqual([
      'retrain-api',
      'retrain-worker',
      'retrain-worker-gpu',
    ]);
    for (const { spec } of deployments) {
      const { metadata, spec: pod } = spec.template;
      expect(metadata.labels).toMatchObject(spec.selector.matchLabels);
      expect(named('ServiceAccount')).toContain(pod.serviceAccountName);
      const claims = pod.volumes.flatMap(({ persistentVolumeClaim: claim }) => claim?.claimName ?? []);
      // The API reads nothing of the project.
      const isApi = pod.containers.every(({ name }) => name === 'api');
      expect(claims).toEqual(isApi ? [] : named('PersistentVolumeClaim'));
      const settings = pod.containers.flatMap(({ envFrom }) =>
        envFrom.flatMap((from) => from.configMapRef?.name ?? []),
      );
      expect(settings).toEqual([isApi ? 'retrain-api' : 'retrain-worker']);
      expect(named('ConfigMap')).toEqual(expect.arrayContaining(settings));
    }
    const places = new Set(
      objects.filter(({ kind }) => kind !== 'Namespace').map(({ metadata }) => metadata.namespace),
    );
    expect([...places]).toEqual(named('Namespace'));
  });

  test('gives the GPU workers their queue, a GPU, and labels that the others’ selector does not match', () => {
    const worker = parsed(base).find(
      ({ kind, metadata }) => kind === 'Deployment' && metadata.name === 'retrain-worker',
    );
    const [gpuWorker] = parsed(gpu).filter(({ kind }) => kind === 'Deployment');
    const [container] = gpuWorker?.spec.template.spec.containers ?? [];
    expect(container?.env).toContainEqual({ name: 'RETRAIN_TASK_QUEUE', value: 'retrain-gpu' });
    expect(container?.resources.limits['nvidia.com/gpu']).toBe('1');
    const wanted = Object.entries(worker?.spec.selector.matchLabels ?? {});
    expect(wanted.length).toBeGreaterThan(0);
    const labels = gpuWorker?.spec.template.metadata.labels ?? {};
    expect(wanted.filter(([name, value]) => labels[name] !== value)).not.toEqual([]);
  });
});

function parsed(manifests: string): Rendered[] {
  return parseAllDocuments(manifests).map((document) => document.toJS() as Rendered);
}
