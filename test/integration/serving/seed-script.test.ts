import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { ROOT, TestProject } from '../pipeline/test-project';
import { ServedProject } from './served';

jest.setTimeout(240_000);

const SCRIPT = path.join(ROOT, 'test', 'fixtures', 'scripts', 'phase-2.sh');
const EXAMPLE = path.join(ROOT, 'examples', 'credit-risk');

/**
 * What users of such a project check their stack by, as it is written: it calls docker, docker-compose, curl and jq, and asks ports 5000
 * and 8000. Here the ports are others, as many suites run at once, so a curl of ours puts the right ones into the addresses; and docker and
 * docker-compose, which it asks for nothing but their versions and a list, are stood in for. All that it judges is real.
 */
describe('the script that checked such a stack before', () => {
  const params = parse(readFileSync(path.join(EXAMPLE, 'params.yaml'), 'utf8')) as Record<string, unknown>;
  const { model: _model, experiment: _experiment, ...rest } = params;
  const project = new TestProject({
    ...rest,
    data: { path: 'data/cs-training.csv', target: 'SeriousDlqin2yrs' },
    train: { algorithm: 'random-forest', engine: 'histogram', n_estimators: 40, max_depth: 8, seed: 42 },
  });
  let api: ServedProject;

  beforeAll(async () => {
    execFileSync(
      process.execPath,
      [path.join(EXAMPLE, 'generate.mjs'), '--rows', '8000', '--out', project.path('data/cs-training.csv')],
      { stdio: 'ignore' },
    );
    await project.startWorker();
    expect((await project.start('--wait')).result).toMatchObject({ outcome: 'promoted' });
    api = await new ServedProject(project).listening();
    await api.until('/ready', ({ status }) => status === 200);
  });
  afterAll(async () => {
    await api.end('SIGKILL');
    await project.remove();
  });

  test('passes, with the names of columns that its callers use', async () => {
    const bin = project.path('bin');
    mkdirSync(bin);
    const mlflow = project.env['MLFLOW_TRACKING_URI'] ?? '';
    const curl = execFileSync('which', ['curl'], { encoding: 'utf8' }).trim();
    const programs = {
      docker: 'echo "Docker version 0, stood in for"',
      'docker-compose': 'echo "stood in for"',
      curl: [
        'args=()',
        `for one in "$@"; do one=\${one/#http:\\/\\/localhost:5000/${mlflow}}; args+=("\${one/#http:\\/\\/localhost:8000/${api.url}}"); done`,
        `exec ${curl} "\${args[@]}"`,
      ].join('\n'),
    };
    for (const [name, text] of Object.entries(programs)) {
      writeFileSync(path.join(bin, name), `#!/usr/bin/env bash\n${text}\n`);
      chmodSync(path.join(bin, name), 0o755);
    }
    const child = spawn('bash', [SCRIPT], {
      env: { ...process.env, PATH: `${bin}:${process.env['PATH'] ?? ''}` },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (text: Buffer) => (said += text.toString()));
    const [code] = (await once(child, 'close')) as [number];
    expect(said).toContain('All checks passed!');
    expect(said).toMatch(/"prediction": [01],/);
    expect(code).toBe(0);
  });

  test('and so does ours, with the example’s row', async () => {
    const out = execFileSync(
      path.join(ROOT, 'scripts', 'verify.sh'),
      [path.join(EXAMPLE, 'sample_input.json')],
      {
        encoding: 'utf8',
        env: {
          ...process.env,
          MLFLOW_TRACKING_URI: project.env['MLFLOW_TRACKING_URI'],
          RETRAIN_API_URL: api.url,
        },
      },
    );
    expect(out).toContain('All is well.');
    expect(out).toContain(`${project.model} version 1`);
  });
});
