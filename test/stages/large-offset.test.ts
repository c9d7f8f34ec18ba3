/** @jest-environment ./test/onnx-environment.cjs */
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { type Evaluation } from '../../contracts/stage';
import { predictTable } from '../../ml/model/model';
import { decodeOnnx } from '../../ml/onnx/decode';
import { InProcessExecutor } from '../../stages/in-process';
import { CompiledStages, StageFolder } from './stage-folder';

let compiled: CompiledStages;
let executor: InProcessExecutor;
const folders: StageFolder[] = [];

beforeAll(() => {
  compiled = new CompiledStages();
  executor = new InProcessExecutor({ threadEntry: compiled.threadEntry, threads: 2 });
});
afterAll(async () => {
  await executor.close();
  compiled.remove();
  for (const made of folders) made.remove();
});

const ROWS = 2000;
const OFFSET = 1e9;
/** float32 has a step of 64 from 2^29 to 2^30. */
const STEP = 64;
const cell = (row: number): number => ((row * 1009) % ROWS) / ROWS;

async function run(stage: string, folder: StageFolder): Promise<StageFolder> {
  folders.push(folder);
  await executor.run(stage, folder.dir);
  return folder;
}

/** Trains on y = 1000 a + 1e9. */
async function trained(train: object): Promise<{ onnx: Buffer; r2: number; mae: number }> {
  const data = Array.from({ length: ROWS }, (_, row) => `${cell(row)},${1000 * cell(row) + OFFSET}`);
  const params = { data: { path: 'd.csv', target: 'y' }, preprocess: {}, task: 'regression' };
  const tables = await run('preprocess', new StageFolder(params, { data: `a,y\n${data.join('\n')}\n` }));
  const taken = (folder: StageFolder, ...names: string[]): StageFolder =>
    names.reduce((into, name) => into.take(name, tables.out(name)), folder);
  const task = 'regression';
  const model = await run('train', taken(new StageFolder({ train, task }), 'train.parquet', 'schema.json'));
  const last = taken(new StageFolder({ evaluate: {}, task }), 'test.parquet', 'schema.json');
  const scored = await run('evaluate', last.take('model.onnx', model.out('model.onnx')));
  const { metrics } = (scored.json('evaluation.json') as Evaluation).candidate;
  return { onnx: model.bytes('model.onnx'), r2: metrics['r2'] ?? NaN, mae: metrics['mae'] ?? NaN };
}

test.each([
  ['random-forest', {}],
  ['extra-trees', {}],
  ['gradient-boosting', {}],
])(
  'a target far off zero keeps what float32 has of it, row by row and in batches: %s',
  async (algorithm, more) => {
    const { onnx, r2, mae } = await trained({ algorithm, n_estimators: 100, ...more });
    // No answer in float32 is nearer than half a step, on average a quarter.
    expect(r2).toBeGreaterThan(0.98);
    expect(mae).toBeLessThan(STEP / 2);

    const session = await InferenceSession.create(onnx, { intraOpNumThreads: 2 });
    const values = Float32Array.from({ length: 300 }, (_, row) => cell(row * 7));
    const ask = async (rows: Float32Array): Promise<number[]> => {
      const { prediction } = await session.run({ a: new Tensor('float32', rows, [rows.length, 1]) }, [
        'prediction',
      ]);
      return Array.from(prediction?.data as Float32Array);
    };
    const batch = await ask(values);
    const single: number[] = [];
    for (let row = 0; row < values.length; row++) single.push(...(await ask(values.slice(row, row + 1))));
    expect(single).toEqual(batch);
    await session.release();

    const decoded = decodeOnnx(onnx);
    if (decoded === undefined) throw new Error('it is a model of ours');
    const table = (rows: Float32Array): Parameters<typeof predictTable>[1] => ({
      ...{ values: rows, rows: rows.length, features: 1 },
    });
    const ours = await predictTable(decoded.forest, table(values));
    expect([...ours].map(Math.fround)).toEqual(batch);
    const alone = await predictTable(decoded.forest, table(values.subarray(5, 6)));
    expect(alone[0]).toBe(ours[5]);
  },
);
