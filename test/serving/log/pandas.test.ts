import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openPredictionLog } from '../../../serving/log/open-prediction-log';
import { testWith } from '../../tools/needs';
import { column, logged, modelOf } from './logged';

const MORNING = Date.parse('2026-03-09T10:00:00Z');
const IRIS = modelOf(['setosa', 'versicolor', 'virginica']);
const dir = mkdtempSync(path.join(tmpdir(), 'prediction-log-pandas-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function iris(requestId: string, petal: number | null) {
  return logged({
    model: IRIS,
    requestId,
    columns: [column('petal', [petal], 'number')],
    answers: [['setosa', 0.9]],
  });
}

testWith('python')('pandas and pyarrow read a day of a version', async () => {
  const log = openPredictionLog({ dir, now: () => MORNING, flushMs: 5 });
  log.add(iris('one', null));
  await until(() => log.status().written === 1);
  log.add(iris('two', 2));
  await until(() => log.status().written === 2);
  await log.close();
  const script = `
import json, sys, pandas, pyarrow.dataset as ds
folder = sys.argv[1] + '/2026-03-09/iris-classifier@3'
frame = pandas.read_parquet(folder).sort_values('request_id')
table = ds.dataset(folder).to_table()
print(json.dumps([frame.request_id.tolist(), str(frame.time.dtype), frame.feature_petal.isna().tolist(), table.num_rows, str(frame.row.dtype)]))`;
  const answer: unknown = JSON.parse(
    execFileSync(process.env.RETRAIN_TEST_PYTHON ?? '', ['-c', script, dir], { encoding: 'utf8' }),
  );
  expect(answer).toEqual([['one', 'two'], 'datetime64[ms, UTC]', [true, false], 2, 'int32']);
});

async function until(reached: () => boolean): Promise<void> {
  while (!reached()) await new Promise((resolve) => setTimeout(resolve, 2));
}
