import { spawnSync } from 'node:child_process';
import { Random } from '../../ml/random/random';
import { InProcessExecutor } from '../../stages/in-process';
import { CompiledStages, StageFolder } from './stage-folder';

/** Past the size that is read without DuckDB: 150,000 rows, 4 MB, some values missing, one text column. */
const CSV = ((): string => {
  const random = new Random(5);
  const lines = ['id,a,b,city,y'];
  for (let row = 0; row < 150_000; row++) {
    const a = random.below(10_000) / 10;
    const b = random.below(20) === 0 ? 'NA' : String(random.below(500));
    lines.push(`${row},${a},${b},${['Oslo', 'Bonn', 'Rome'][random.below(3)]},${a > 500 ? 'yes' : 'no'}`);
  }
  return `${lines.join('\n')}\n`;
})();

const PARAMS = {
  data: { path: 'data/large.csv', target: 'y' },
  preprocess: { drop: ['id'], encode: { city: 'one-hot' }, filter: 'b IS NULL OR b < 450' },
  task: 'classification',
};

let compiled: CompiledStages;
let executor: InProcessExecutor;
const folders: StageFolder[] = [];

const folder = (params: unknown = PARAMS): StageFolder => {
  const made = new StageFolder(params, { data: CSV });
  folders.push(made);
  return made;
};

beforeAll(() => {
  compiled = new CompiledStages();
  executor = new InProcessExecutor({ threadEntry: compiled.threadEntry, threads: 1 });
});

afterAll(async () => {
  await executor.close();
  compiled.remove();
  for (const made of folders) made.remove();
});

it('gives the same bytes by DuckDB in a thread and in a process', async () => {
  const [thread, process_] = [folder(), folder()];
  await executor.run('preprocess', thread.dir);
  const { status } = spawnSync(process.execPath, [compiled.main, 'preprocess', '--dir', process_.dir]);
  expect(status).toBe(0);
  for (const name of ['train.parquet', 'test.parquet', 'schema.json', 'profile.json', 'metrics.json']) {
    expect(thread.bytes(name).equals(process_.bytes(name))).toBe(true);
  }
});

it('fails an expectation with the numbers of the rows', async () => {
  await expect(
    executor.run('preprocess', folder({ ...PARAMS, expect: { a: { max: 990 }, unique: ['id'] } }).dir),
  ).rejects.toMatchObject({
    code: 'DATA_INVALID',
    message: expect.stringMatching(
      /^data\/large\.csv: expect\.a\.max: \d+ of \d+ rows are above 990 \(first at rows \d+(, \d+){4}\)$/,
    ) as string,
  });
});

it('leaves the process alive when it is cancelled at any moment within DuckDB', async () => {
  for (let moment = 0; moment < 10; moment++) {
    const abort = new AbortController();
    const running = executor.run('preprocess', folder().dir, { signal: abort.signal });
    setTimeout(() => abort.abort(new Error('cancelled')), 60 * moment);
    await running.catch((error: unknown) => expect(error).toMatchObject({ message: 'cancelled' }));
  }
  await expect(executor.run('preprocess', folder().dir)).resolves.toMatchObject({});
});
