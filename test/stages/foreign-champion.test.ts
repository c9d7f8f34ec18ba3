import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { InProcessExecutor } from '../../stages/in-process';
import { dynamicBomb } from '../attacks/foreign-onnx';
import { CompiledStages, IRIS, PREPROCESS, StageFolder } from './stage-folder';

const compiled = new CompiledStages();
const executor = new InProcessExecutor({
  ...{ threadEntry: compiled.threadEntry, threads: 2 },
  limits: { memoryBytes: 700 << 20 },
});
const folders: StageFolder[] = [];
afterAll(async () => {
  await executor.close();
  for (const made of folders) made.remove();
  compiled.remove();
});

const folder = (params: object): StageFolder => {
  const made = new StageFolder(params);
  folders.push(made);
  return made;
};

test('a champion of others that takes 40 GB ends its own process, and what runs beside it does not notice', async () => {
  const done = folder({ ...PREPROCESS, preprocess: {} }).take('data', IRIS);
  await executor.run('preprocess', done.dir);
  const trained = folder({ train: { n_estimators: 10 }, task: 'classification' })
    .take('train.parquet', done.out('train.parquet'))
    .take('schema.json', done.out('schema.json'));
  await executor.run('train', trained.dir);
  const evaluated = (champion: string): StageFolder =>
    folder({ evaluate: {}, task: 'classification' })
      .take('test.parquet', done.out('test.parquet'))
      .take('schema.json', done.out('schema.json'))
      .take('model.onnx', trained.out('model.onnx'))
      .take('champion.onnx', champion);
  const bomb = path.join(done.dir, 'bomb.onnx');
  writeFileSync(bomb, dynamicBomb());
  const attacked = evaluated(bomb);
  const [its, ours] = await Promise.allSettled([
    executor.run('evaluate', attacked.dir),
    executor.run('evaluate', evaluated(trained.out('model.onnx')).dir),
  ]);
  expect(ours.status).toBe('fulfilled');
  // onnxruntime may see by itself that there is no room; then the champion is noted as one that cannot be scored.
  const noted =
    its.status === 'fulfilled'
      ? (attacked.json('evaluation.json') as { championError: string }).championError
      : (its.reason as { code: string }).code;
  expect(noted).toMatch(/^STAGE_(OUT_OF_MEMORY|FAILED)$|onnxruntime/);
});
