import { execFile } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { twoClasses } from './model/two-classes';

const run = promisify(execFile);
jest.setTimeout(180_000);

const ROOT = path.join(__dirname, '..', '..');
// What is packed is what was compiled.
const BUILT = path.join(ROOT, 'dist', 'serving', 'predict.js');
const TSC = path.join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');

const USE = `
const model = await loadModel(process.argv[2]);
const [answer] = await model.predict([{ size: 20, weight: 15 }]);
await model.close();
const refused = await loadModel('/nowhere').catch((error) => [error instanceof RetrainError, error.code]);
console.log(JSON.stringify({ answer, refused, read: typeof readPredictions, classes: model.classes }));
`;

/** Packed as npm packs it, in another package that has what it depends on. */
describe('the package, from another package', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'other-package-'));
  let dir: string;
  let packed: string[];

  beforeAll(async () => {
    expect(existsSync(BUILT)).toBe(true);
    ({ dir } = await twoClasses('forest'));
    const { stdout } = await run(
      'npm',
      ['pack', '--json', '--ignore-scripts', '--pack-destination', folder],
      {
        cwd: ROOT,
        maxBuffer: 10_000_000,
      },
    );
    const [pack] = JSON.parse(stdout) as [{ filename: string; files: { path: string }[] }];
    packed = pack.files.map((one) => one.path);
    const modules = path.join(folder, 'node_modules');
    mkdirSync(path.join(modules, 'retrain'), { recursive: true });
    await run('tar', [
      ...['-xzf', path.join(folder, pack.filename), '--strip-components=1'],
      ...['-C', path.join(modules, 'retrain')],
    ]);
    for (const name of readdirSync(path.join(ROOT, 'node_modules'))) {
      if (name.startsWith('.') || name === 'retrain') continue;
      symlinkSync(path.join(ROOT, 'node_modules', name), path.join(modules, name));
    }
    writeFileSync(path.join(folder, 'package.json'), '{ "name": "other", "version": "1.0.0" }');
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
    rmSync(path.dirname(dir), { recursive: true });
  });

  const file = (name: string, text: string): string => {
    writeFileSync(path.join(folder, name), text);
    return path.join(folder, name);
  };

  test.each([
    ['main.mjs', `import { loadModel, readPredictions, RetrainError } from 'retrain/predict';\n${USE}`],
    [
      'main.cjs',
      `const { loadModel, readPredictions, RetrainError } = require('retrain/predict');\nvoid (async () => {${USE}})();`,
    ],
  ])('%s loads a model and asks it', async (name, text) => {
    const { stdout } = await run(process.execPath, [file(name, text), dir], { cwd: folder });
    expect(JSON.parse(stdout)).toMatchObject({
      answer: { prediction: expect.any(Number) as number, decision: null },
      refused: [true, 'DATA_NOT_FOUND'],
      read: 'function',
      classes: [0, 1],
    });
  });

  test('its types are there for both kinds of modules, and tell wrong use', async () => {
    const right = `import { loadModel, type LoadedModel, type Prediction } from 'retrain/predict';
      export async function ask(): Promise<string | number | boolean> {
        const model: LoadedModel = await loadModel('iris-classifier@production', { trackingUri: 'http://mlflow' });
        const answers: Prediction[] = await model.predict([{ size: 1, colour: 'red', gap: null }]);
        return answers[0]?.decision ?? answers[0]!.prediction;
      }\n`;
    const files = [
      file('right.mts', right),
      file('right.cts', right),
      file('wrong.mts', right.replace("colour: 'red'", 'colour: ["red"]')),
    ];
    const options = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--target', 'es2022'];
    const compiled = run(
      process.execPath,
      [TSC, ...options, '--types', 'node', '--pretty', 'false', ...files],
      {
        cwd: folder,
      },
    );
    const { stdout } = await compiled.catch((error: unknown) => error as { stdout: string });
    const errors = stdout.split('\n').filter((line) => line.includes('error TS'));
    expect(errors).toEqual([expect.stringMatching(/^wrong\.mts\(.*is not assignable to type/)]);
  });

  test('has what was compiled and what that reads, and no more', () => {
    const folders = new Set(packed.map((one) => one.split('/')[0]));
    expect([...folders].sort()).toEqual(
      [
        ...['CHANGELOG.md', 'LICENSE', 'README.md', 'SECURITY.md', 'package.json'],
        ...['bin', 'client', 'dist', 'monitoring'],
      ].sort(),
    );
    // What lies beside the sources and is no source is read as it is.
    const asItIs = readdirSync(path.join(ROOT, 'client'), { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.\w+$/.test(file) && !file.endsWith('.ts'))
      .map((file) => `client/${file}`);
    expect(asItIs.length).toBeGreaterThan(0);
    expect(packed).toEqual(
      expect.arrayContaining([
        ...asItIs,
        ...['dist/cli.cjs', 'dist/worker/main.js', 'dist/workflow-bundle.js', 'dist/stage-code.json'],
      ]),
    );
    expect(packed.filter((one) => /^client\/.*\.ts$|^dist\/(bench|scripts)\/|\.map$/.test(one))).toEqual([]);
  });

  test('its command runs a stage on the files of that other package', async () => {
    mkdirSync(path.join(folder, 'data'), { recursive: true });
    for (const name of ['params.yaml', 'data/iris.csv']) {
      copyFileSync(path.join(ROOT, name), path.join(folder, name));
    }
    const command = path.join(folder, 'node_modules', 'retrain', 'bin', 'retrain');
    await run(process.execPath, [command, 'stage', 'preprocess'], {
      cwd: folder,
      env: { ...process.env, NO_COLOR: '1' },
    });
    const made = readdirSync(folder, { recursive: true }).map(String);
    expect(made.filter((one) => one.endsWith('train.parquet')).length).toBeGreaterThan(0);
  });

  test('nothing else of it can be imported by accident', async () => {
    const inner = file('inner.mjs', `import 'retrain/dist/serving/start-serving.js';`);
    await expect(run(process.execPath, [inner], { cwd: folder })).rejects.toMatchObject({
      stderr: expect.stringContaining('ERR_PACKAGE_PATH_NOT_EXPORTED') as string,
    });
  });
});
