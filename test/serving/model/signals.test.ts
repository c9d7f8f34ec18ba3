/** @jest-environment ./test/onnx-environment.cjs */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { SignalParams, signalOf } from '../../../contracts/signal';
import { predictTable } from '../../../serving/tables/predict-table';
import { loadModel } from '../../../serving/predict';
import { openModel } from '../../../serving/model/open-model';
import { openApi } from '../api/open-api';
import { layOut, penguinModel } from './model-folder';
import { movingAverageModel } from './moving-average-folder';

const RULE = { from: 'price', buy: 0.1, sell: -0.1 };

/** By hand: what the mean of the lags says against the price of the row. */
function byHand(price: number | null | undefined, predicted: number): string | null {
  if (price == null || price <= 0) return null;
  if (predicted >= price * 1.1 - 1e-9) return 'buy';
  return predicted <= price * 0.9 + 1e-9 ? 'sell' : 'hold';
}

describe('a rule for buy, hold and sell that goes with a model', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'signals-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  test('is answered by loadModel, by a table and by /predict, all the same', async () => {
    const { dir, rows, expected } = await movingAverageModel(RULE);
    const wanted = rows.map((row, i) => byHand(row['price'], expected[i] ?? 0));
    expect(new Set(wanted)).toEqual(new Set(['buy', 'hold', 'sell', null]));

    const loaded = await loadModel(dir);
    expect(loaded.signal).toEqual(RULE);
    expect((await loaded.predict(rows)).map(({ decision }) => decision)).toEqual(wanted);
    await loaded.close();

    const model = await openModel(dir);
    const csv = path.join(folder, 'rows.csv');
    const header = Object.keys(rows[0] ?? {});
    const lines = rows.map((row) => header.map((name) => row[name] ?? '').join(','));
    writeFileSync(csv, [header.join(','), ...lines, ''].join('\n'));
    const out = path.join(folder, 'said.csv');
    await predictTable({
      ...{ model, dataPath: csv, file: 'rows.csv', out, project: folder, about: {} },
      signal: new AbortController().signal,
    });
    const [names, ...said] = readFileSync(out, 'utf8').trim().split('\n');
    expect(names).toBe('prediction,decision');
    expect(said.map((line) => line.split(',')[1] || null)).toEqual(wanted);

    const { app } = await openApi({}, model);
    const reply = await app.inject({ method: 'POST', url: '/predict', payload: { rows } });
    const { predictions } = reply.json<{ predictions: { decision: string | null }[] }>();
    expect(predictions.map(({ decision }) => decision)).toEqual(wanted);
    const info = (await app.inject({ url: '/model/info' })).json<{ signal: unknown }>();
    expect(info.signal).toEqual(RULE);
    await app.close();
    await model.close();
  });

  test('works for trees as well, and is nothing where the model takes no such number', async () => {
    const { dir, records, schema } = await penguinModel('regression');
    const onnx = readFileSync(path.join(dir, 'model.onnx'));
    const rule = { from: 'Flipper Length (mm)', buy: 20, sell: 19 };
    const model = await loadModel(layOut(schema, onnx, {}, rule));
    const row = records.find((one) => one['Flipper Length (mm)'] != null) ?? {};
    const [answer] = await model.predict([row, { ...row, 'Flipper Length (mm)': null }]);
    expect(answer?.decision).toBe(
      signalOf(rule, Number(row['Flipper Length (mm)']), Number(answer?.prediction)),
    );
    for (const from of ['Species', 'nothing']) {
      const without = await loadModel(layOut(schema, onnx, {}, { ...rule, from }));
      expect([without.signal, (await without.predict([row]))[0]?.decision]).toEqual([null, null]);
    }
  });

  test('says one thing of a change, at the borders too, and nothing of what is no amount', () => {
    const cases: [number, number, string | null][] = [
      [100, 110, 'buy'],
      [100, 109.99, 'hold'],
      [100, 90, 'sell'],
      [100, 90.01, 'hold'],
      [0, 5, null],
      [-3, 5, null],
      [Number.NaN, 5, null],
      [5, Number.NaN, null],
      [Infinity, 5, null],
    ];
    for (const [from, predicted, said] of cases) expect(signalOf(RULE, from, predicted)).toBe(said);
    expect(() => SignalParams.parse({ from: 'price', buy: 0.01, sell: 0.02 })).toThrow('must be above sell');
  });
});
