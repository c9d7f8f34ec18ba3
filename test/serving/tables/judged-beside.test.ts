import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { beginModel, openModel } from '../../../serving/model/open-model';
import { OnnxModel } from '../../../serving/model/onnx-model';
import { readModelCard } from '../../../serving/model/model-card';
import { type ServedModel } from '../../../serving/model/served-model';
import { predictTable, type TableDone } from '../../../serving/tables/predict-table';
import { twoClasses } from '../model/two-classes';

describe('a table that is scored while onnxruntime is still asked about the model', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'judged-'));
  const csv = path.join(folder, 'rows.csv');
  const out = path.join(folder, 'said.jsonl');
  let dir: string;
  let model: ServedModel;

  beforeAll(async () => {
    const made = await twoClasses('forest');
    dir = made.dir;
    model = await openModel(dir);
    const lines = made.records.map(({ size, weight }) => `${size},${weight}\n`);
    writeFileSync(csv, `size,weight\n${lines.join('')}`);
  });

  afterEach(() => rmSync(out, { force: true }));

  afterAll(async () => {
    await model.close();
    for (const made of [folder, path.dirname(dir)]) rmSync(made, { recursive: true });
  });

  const score = (judged: Promise<ServedModel>, told: (rows: number) => void = () => {}): Promise<TableDone> =>
    predictTable({
      ...{ dataPath: csv, file: 'rows.csv', model, judged, about: {}, out, project: folder },
      ...{ signal: new AbortController().signal, onProgress: told },
    });

  test('is there once onnxruntime agrees, not before, and all of it', async () => {
    let agree: (model: ServedModel) => void = () => {};
    const judged = new Promise<ServedModel>((resolve) => (agree = resolve));
    const { rows, engine } = await score(judged, () => {
      // Rows are written by now, and wait.
      expect(existsSync(out)).toBe(false);
      agree(model);
    });
    expect(engine).toBe('forest');
    expect(readFileSync(out, 'utf8').trim().split('\n')).toHaveLength(rows);
  });

  test('is made anew by onnxruntime where that does not agree', async () => {
    const other = await OnnxModel.open(
      readFileSync(path.join(dir, 'model.onnx')),
      await readModelCard(dir),
      {},
    );
    try {
      const ours = await score(Promise.resolve(model));
      const said = readFileSync(out, 'utf8');
      let turns = 0;
      let overrule: (model: ServedModel) => void = () => {};
      const judged = new Promise<ServedModel>((resolve) => (overrule = resolve));
      const done = await score(judged, () => {
        turns++;
        overrule(other);
      });
      expect(done).toMatchObject({ engine: 'onnxruntime', rows: ours.rows });
      expect(turns).toBeGreaterThan(1);
      const labels = (text: string): unknown[] =>
        text
          .trim()
          .split('\n')
          .map((line) => (JSON.parse(line) as { prediction: unknown }).prediction);
      expect(labels(readFileSync(out, 'utf8'))).toEqual(labels(said));
    } finally {
      await other.close();
    }
  });

  test('is not there where the model cannot be judged, nor any part of it', async () => {
    await expect(score(Promise.reject(new Error('onnxruntime refuses it')))).rejects.toThrow('refuses it');
    expect(readdirSync(folder)).toEqual(['rows.csv']);
  });

  test('a forest of ours is begun before it is judged, and is the one that is judged', async () => {
    const begun = await beginModel(dir);
    expect(begun.model.engine).toBe('forest');
    expect(await begun.judged).toBe(begun.model);
  });
});
