import { execFileSync } from 'node:child_process';
import { appendFileSync, copyFileSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { ARTIFACT, Evaluation } from '../../../contracts/stage';
import { decodeSeenRows } from '../../../ml/dataset/seen-rows';
import { digestBytes } from '../../../ml/hashing/digest';
import { RegistryView } from './registry-view';
import { ROOT, TestProject } from './test-project';

jest.setTimeout(400_000);

const FIRST_ROWS = 1000;
const ALL_ROWS = 30_000;
const TARGET = 'SeriousDlqin2yrs';

/** What fair-contest.py makes of the same files. */
interface Judged {
  heldOut: number;
  rows: number;
  seenByChampion: number;
  champion: number;
  candidate: number;
  championOnAll: number;
  interval: [number, number];
}

/** The first credit rows, without their index, whose order and number say nothing. */
function creditRows(project: TestProject): string[] {
  const out = project.path('all.csv');
  execFileSync(process.execPath, [
    path.join(ROOT, 'examples/credit-risk/generate.mjs'),
    ...['--rows', String(ALL_ROWS), '--seed', '7', '--out', out],
  ]);
  const lines = readFileSync(out, 'utf8').trim().split('\n');
  rmSync(out);
  return lines.map((line) => line.slice(line.indexOf(',') + 1));
}

/** A forest that knows its training rows by heart. */
const params = (changes: object = {}): Record<string, unknown> => ({
  data: { path: 'data/credit.csv', target: TARGET },
  train: { n_estimators: 60 },
  evaluate: { positive: '1', resamples: 60 },
  gate: {},
  promote: { metric: 'roc_auc' },
  ...changes,
});

describe('a table that grows', () => {
  const project = new TestProject();
  const registry = new RegistryView(project.model);
  const kept = (name: string): string => project.path(`kept-${name}`);
  const prepared = (name: string): string => project.path(`prepared/${project.model}/${name}`);
  const trained = (name: string): string => project.path(`models/${project.model}/${name}`);
  let lines: string[] = [];

  /** Keeps what the version now in the workspace was made of. */
  const keep = (): void => {
    copyFileSync(prepared('train.parquet'), kept('train.parquet'));
    copyFileSync(trained('model.onnx'), kept('model.onnx'));
  };

  /** The version in the workspace against the one that was kept. */
  const judge = (): Judged =>
    JSON.parse(
      execFileSync(
        process.env['RETRAIN_TEST_PYTHON'] ?? 'python3',
        [
          path.join(__dirname, 'fair-contest.py'),
          ...[kept('train.parquet'), prepared('train.parquet'), prepared('test.parquet')],
          ...[kept('model.onnx'), trained('model.onnx'), TARGET, '60', '42'],
        ],
        { encoding: 'utf8' },
      ),
    ) as Judged;

  beforeAll(async () => {
    lines = creditRows(project);
    project.writeParams(params());
    appendFileSync(project.path('data/credit.csv'), `${lines.slice(0, FIRST_ROWS + 1).join('\n')}\n`);
    await project.startWorker();
  });
  afterAll(async () => {
    await project.remove();
    await registry.close();
  });

  test('has its first version in production, with the names of its training rows', async () => {
    const first = await project.start('--wait');
    expect(first).toMatchObject({ code: 0, result: { outcome: 'promoted', modelVersion: '1' } });
    keep();

    const [version] = await registry.versions();
    const [run] = await registry.runs();
    const bytes = Buffer.from(
      await registry.mlflow.artifacts.downloadBytes(run?.artifactUri ?? '', ARTIFACT.seenRows),
    );
    const { sha256 } = digestBytes(bytes);
    expect(version?.tags['seen_rows_sha256']).toBe(sha256);
    expect(run?.tags[`artifact_sha256.${ARTIFACT.seenRows}`]).toBe(sha256);
    const seen = decodeSeenRows(bytes);
    expect(seen.rows).toBe(0.8 * FIRST_ROWS);
    expect(seen.columns).toHaveLength(11);
    expect(bytes.length).toBeLessThan(8 * seen.rows + 1000);
    const provenance = await registry.mlflow.artifacts.downloadBytes(
      await registry.mlflow.resolveSource(version?.source ?? ''),
      'provenance.json',
    );
    expect(JSON.parse(Buffer.from(provenance).toString())).toMatchObject({
      predicate: {
        runDetails: {
          byproducts: expect.arrayContaining([{ name: ARTIFACT.seenRows, digest: { sha256 } }]) as unknown,
        },
      },
    });
  });

  test('ends with the second version in production, as on rows that neither has seen it is better', async () => {
    appendFileSync(project.path('data/credit.csv'), `${lines.slice(FIRST_ROWS + 1).join('\n')}\n`);
    const second = await project.start('--wait');
    const [evaluated] = await registry.runs();
    const evaluation = Evaluation.parse(
      JSON.parse(
        Buffer.from(
          await registry.mlflow.artifacts.downloadBytes(evaluated?.artifactUri ?? '', 'evaluation.json'),
        ).toString(),
      ),
    );
    const judged = judge();

    expect(evaluation.comparison).toMatchObject({
      heldOut: judged.heldOut,
      rows: judged.rows,
      seenByChampion: judged.seenByChampion,
      seenByCandidate: 0,
      unknown: null,
    });
    expect(evaluation.comparison?.candidate['roc_auc']).toBeCloseTo(judged.candidate, 6);
    expect(evaluation.comparison?.champion['roc_auc']).toBeCloseTo(judged.champion, 6);
    const interval = second.result?.comparison?.interval;
    expect(interval?.low).toBeCloseTo(judged.interval[0], 6);
    expect(interval?.high).toBeCloseTo(judged.interval[1], 6);

    expect(judged.candidate).toBeGreaterThan(judged.champion);
    expect(second).toMatchObject({
      code: 0,
      result: { outcome: 'promoted', modelVersion: '2', champion: { version: '1' } },
    });
    expect(second.result?.reason).toMatch(
      /^roc_auc 0\.\d+ beats version 1's 0\.\d+ on [\d,]+ held-out rows that neither has seen(?: \([\d,]+ that version 1 was trained on (?:is|are) left out\))?: \+0\.\d+, 95 % interval [−+]0\.\d+ … \+0\.\d+$/,
    );
    const [version] = await registry.versions();
    expect(version).toMatchObject({
      version: '2',
      aliases: ['production'],
      tags: {
        compared_with: '1',
        compared_rows: String(judged.rows),
        compared_metric: 'roc_auc',
        difference: expect.stringMatching(/^0\.\d+$/) as string,
        difference_interval: expect.stringMatching(/ … .* \(95 %\)$/) as string,
      },
    });
  });

  test('another seed leaves few rows to compare on, and only those are new to both', async () => {
    keep();
    project.writeParams(params({ preprocess: { seed: 7 } }));
    const { stdout } = await project.cli(['plan']);
    expect(stdout).toContain(
      'comparison: preprocess.seed 42 → 7: version 2 was trained on most of the held-out rows that it knows: the two are compared on about 20 % of them, and on rows that came since',
    );
    const third = await project.start('--wait');
    const figures = third.result?.comparison;
    expect(figures?.heldOut).toBe(0.2 * ALL_ROWS);
    // A fifth of the new held-out rows had been held out before.
    expect((figures?.rows ?? 0) / (figures?.heldOut ?? 1)).toBeGreaterThan(0.17);
    expect((figures?.rows ?? 0) / (figures?.heldOut ?? 1)).toBeLessThan(0.23);
    expect(third.result?.reason).toContain('that neither has seen (');
    const judged = judge();
    expect(figures).toMatchObject({ rows: judged.rows, seenByChampion: judged.seenByChampion });
    expect(figures?.candidate).toBeCloseTo(judged.candidate, 6);
    expect(figures?.champion).toBeCloseTo(judged.champion, 6);
    expect(third.result?.outcome).toBe(judged.candidate > judged.champion ? 'promoted' : 'staged');
    // What a comparison on all held-out rows would have gone by: the champion remembers most of them.
    expect(judged.championOnAll).toBeGreaterThan(judged.champion + 0.05);
  });

  test('a champion whose names are gone is compared on all rows, or not at all', async () => {
    const { mlflow } = registry;
    const champion = await mlflow.registry.findByAlias(project.model, 'production');
    await mlflow.registry.setVersionTags(project.model, champion?.version ?? '', {
      seen_rows_sha256: '0'.repeat(64),
    });
    const championName = `version ${champion?.version}`;
    project.writeParams(params({ train: { n_estimators: 61 } }));
    const preferred = await project.start('--wait');
    expect(preferred.result?.reason).toContain(
      `on all 6,000 held-out rows, of which ${championName} may have been trained on some (it does not tell which rows it was trained on)`,
    );
    const holder = (await mlflow.registry.findByAlias(project.model, 'production'))?.version ?? '';
    await mlflow.registry.setVersionTags(project.model, holder, { seen_rows_sha256: '0'.repeat(64) });
    project.writeParams(
      params({ train: { n_estimators: 62 }, promote: { metric: 'roc_auc', unseen: 'required' } }),
    );
    const required = await project.start('--wait');
    expect(required).toMatchObject({ code: 0, result: { outcome: 'staged', alias: 'staging' } });
    expect(required.result?.reason).toContain(
      `version ${holder} cannot be compared fairly, which promote.unseen: required asks for`,
    );
  });
});
