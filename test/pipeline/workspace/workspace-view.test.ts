import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type PublishInput } from '../../../contracts/activities';
import { ARTIFACT } from '../../../contracts/stage';
import { ContentStore } from '../../../integrations/dvc/content-store';
import { identifyRun } from '../../../pipeline/run/identify-run';
import { WorkspaceView } from '../../../pipeline/workspace/workspace-view';

const IRIS = path.join(__dirname, '..', '..', '..', 'data', 'iris.csv');
const code = { combined: 'c', stages: { preprocess: 'a', train: 'b', evaluate: 'c' } };

describe('what the project’s folder shows', () => {
  let project: string;
  let store: ContentStore;
  let troubles: unknown[];
  let view: WorkspaceView;

  beforeEach(() => {
    project = mkdtempSync(path.join(tmpdir(), 'retrain-view-'));
    mkdirSync(path.join(project, 'data'));
    copyFileSync(IRIS, path.join(project, 'data', 'iris.csv'));
    writeFileSync(
      path.join(project, 'params.yaml'),
      'experiment: iris\nmodel: iris\ndata: {path: data/iris.csv, target: species}\n',
    );
    store = new ContentStore(path.join(project, 'cache'));
    troubles = [];
    view = new WorkspaceView(project, store, code, (error) => troubles.push(error));
  });
  afterEach(() => rmSync(project, { recursive: true, force: true }));

  /** A run that ended, its model of these bytes. */
  async function ended(model: string): Promise<PublishInput> {
    const identity = await identifyRun({
      ...{ project, paramsPath: 'params.yaml', code },
      imageDigest: async () => Promise.reject(new Error('no images here')),
    });
    await store.put(path.join(project, 'data/iris.csv'), ARTIFACT.data);
    const made = async (...names: string[]): Promise<PublishInput['stages'][string]> => {
      const artifacts = await Promise.all(names.map((name) => store.putBytes(`${name} of ${model}`, name)));
      return {
        artifacts: Object.fromEntries(artifacts.map((artifact) => [artifact.name, artifact])),
        ...{ metrics: {}, reused: false },
      };
    };
    return {
      spec: { ...identity, git: { commit: '', branch: '', dirty: false, remoteUrl: '' } },
      stages: {
        preprocess: await made(ARTIFACT.train, ARTIFACT.test, ARTIFACT.schema, ARTIFACT.profile),
        train: await made(ARTIFACT.model, ARTIFACT.training),
        evaluate: await made(ARTIFACT.evaluation),
      },
      metadata: await store.putBytes(`{"model": "${model}"}`, 'model_metadata.json'),
    };
  }

  /** One whose model is in no store: showing it fails. */
  async function lost(): Promise<PublishInput> {
    const run = await ended('lost');
    const train = run.stages['train'];
    const gone = { name: ARTIFACT.model, sha256: '0'.repeat(64), md5: '0'.repeat(32), sizeBytes: 3 };
    return {
      ...run,
      stages: {
        ...run.stages,
        train: {
          ...train,
          artifacts: { ...train?.artifacts, [ARTIFACT.model]: gone },
          metrics: {},
          reused: false,
        },
      },
    };
  }

  const shown = (): string => readFileSync(path.join(project, 'models/iris/model.onnx'), 'utf8');

  test('is the run that ended last', async () => {
    expect(await view.show(await ended('one'))).toBeNull();
    expect(shown()).toBe('model.onnx of one');
    expect(await view.show(await ended('two'))).toBeNull();
    expect(shown()).toBe('model.onnx of two');
    expect(troubles).toEqual([]);
  });

  test('leaves out a run that a later one overtakes while it waits', async () => {
    const [first, overtaken, last] = [await ended('first'), await lost(), await ended('last')];
    expect(await Promise.all([first, overtaken, last].map((run) => view.show(run)))).toEqual([
      null,
      null,
      null,
    ]);
    expect(shown()).toBe('model.onnx of last');
    expect(troubles).toEqual([]);
  });

  test('says why a run cannot be shown, and shows the one that waits behind it', async () => {
    const [unshown, next] = [await lost(), await ended('next')];
    const [why, after] = await Promise.all([view.show(unshown), view.show(next)]);
    expect(why).toMatch(/model\.onnx/);
    expect(troubles).toHaveLength(1);
    expect(after).toBeNull();
    expect(shown()).toBe('model.onnx of next');
  });
});
