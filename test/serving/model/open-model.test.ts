import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { openModel } from '../../../serving/model/open-model';
import { type Batch, type FieldMistake, type ServedModel } from '../../../serving/model/served-model';
import { type PenguinModel, penguinModel } from './model-folder';

const batchOf = (read: ReturnType<ServedModel['read']>): Batch => {
  if ('batch' in read) return read.batch;
  throw new Error(JSON.stringify(read.mistakes));
};
const mistakesOf = (read: ReturnType<ServedModel['read']>): FieldMistake[] =>
  'mistakes' in read ? read.mistakes : [];

describe('a forest of ours, opened from its directory', () => {
  let made: PenguinModel;
  let model: ServedModel;

  beforeAll(async () => {
    made = await penguinModel('classification');
    model = await openModel(made.dir, { aliases: { mass_in_words: 'Sex' } });
  });

  afterAll(async () => {
    await model.close();
    rmSync(path.dirname(made.dir), { recursive: true });
  });

  const row = (change: Record<string, unknown> = {}): Record<string, unknown> => ({
    ...made.records[1],
    ...change,
  });

  test('is answered by our predictor, at once, in numbers that are equal to the last bit', () => {
    expect(model.engine).toBe('forest');
    for (const rows of [made.records.slice(0, 1), made.records]) {
      const answers = model.score(batchOf(model.read(rows)));
      if (answers instanceof Promise) throw new Error('a few rows are answered at once');
      expect(answers.probabilities).toEqual(made.predictions.subarray(0, rows.length * 3));
      expect(answers.labels).toHaveLength(rows.length);
    }
  });

  test('says the same of many rows, with pauses', async () => {
    const many = Array.from({ length: 30 }, () => made.records).flat();
    const paused = await model.score(batchOf(model.read(many)));
    const { length } = made.predictions;
    expect(equal(paused.probabilities?.subarray(29 * length), made.predictions)).toBe(true);
  });

  test('tells its fields: texts with their levels; all must be there, any may be null', () => {
    expect(model.fields.map(({ name, type }) => [name, type])).toEqual([
      ['Island', 'text'],
      ['Beak Length (mm)', 'number'],
      ['Beak Depth (mm)', 'number'],
      ['Flipper Length (mm)', 'number'],
      ['Sex', 'text'],
    ]);
    expect(model.fields[0]).toMatchObject({ optional: false, nullable: true });
    expect(model.fields[0]?.levels).toEqual(['Biscoe', 'Dream', 'Torgersen']);
  });

  test('takes names that differ in case, -, _ and blanks only, and aliases', () => {
    const { Island, 'Beak Length (mm)': beak, Sex, ...rest } = row();
    const loose = { ...rest, ISLAND: Island, 'beak-length_(mm)': beak, massInWords: Sex };
    expect(batchOf(model.read([loose]))).toEqual(batchOf(model.read([row()])));
  });

  test('takes texts that no training row had, blanks around them, and whole numbers as their digits', () => {
    const batch = batchOf(
      model.read([row({ Island: ' Dream ' }), row({ Island: 'Mars' }), row({ Island: 7 })]),
    );
    const [island] = batch.columns;
    expect(island).toMatchObject({ kind: 'text', levels: ['Biscoe', 'Dream', 'Torgersen', 'Mars', '7'] });
    expect(island?.kind === 'text' && [...island.codes]).toEqual([1, 3, 4]);
    const nowhere = batchOf(model.read([row({ Island: null })]));
    const mars = batchOf(model.read([row({ Island: 'Mars' })]));
    expect(model.score(mars)).toEqual(model.score(nowhere));
  });

  test.each<[string, Record<string, unknown>, string, string, RegExp]>([
    ['a text for a number', { 'Beak Length (mm)': 'long' }, 'Beak Length (mm)', '"long"', /finite number/],
    ['NaN in words', { 'Beak Length (mm)': 'NaN' }, 'Beak Length (mm)', '"NaN"', /or null/],
    ['a truth value', { 'Beak Length (mm)': true }, 'Beak Length (mm)', 'true', /finite number/],
    ['a number beyond float32', { 'Beak Length (mm)': 1e39 }, 'Beak Length (mm)', '1e+39', /3\.4e38/],
    ['NaN', { 'Beak Length (mm)': Number.NaN }, 'Beak Length (mm)', 'NaN', /finite/],
    ['a list', { 'Beak Length (mm)': [1] }, 'Beak Length (mm)', 'a list', /finite/],
    ['an object for a text', { Sex: {} }, 'Sex', 'an object', /a text/],
    ['half a number for a text', { Sex: 0.5 }, 'Sex', '0.5', /a text/],
    ['a name that is nearly one', { Iland: 'Dream' }, 'Iland', '"Dream"', /did you mean Island\?/],
    ['a name of nothing', { x: 1 }, 'x', '1', /the model takes Island, Beak Length \(mm\)/],
    ['constructor', { constructor: 1 }, 'constructor', '1', /no such field/],
    ['hasOwnProperty', { hasOwnProperty: 1 }, 'hasOwnProperty', '1', /no such field/],
    ['a column twice', { island: 'Dream' }, 'island', '"Dream"', /Island once; it is there as Island, too/],
    ['control characters', { Sex: ['\u001b[2J'], '\u001b[2J': '\u001b[2J\u202e' }, 'Sex', 'a list', /a text/],
  ])('refuses %s, and says what was there', (_, change, field, seen, expected) => {
    const [mistake] = mistakesOf(model.read([row(), row(change)]));
    expect(mistake).toMatchObject({ row: 1, field, seen });
    expect(mistake?.expected).toMatch(expected);
    for (const told of mistakesOf(model.read([row(change)]))) {
      const words = Object.values(told).join();
      expect(['\u001b', '\u202e'].filter((character) => words.includes(character))).toEqual([]);
    }
  });

  test('takes __proto__ for an unknown field, and nothing more', () => {
    const parsed = JSON.parse(
      `{"__proto__": {"Island": "Dream"}, ${JSON.stringify(row()).slice(1)}`,
    ) as Record<string, unknown>;
    expect(mistakesOf(model.read([parsed]))).toMatchObject([{ field: '__proto__', seen: 'an object' }]);
    expect(({} as Record<string, unknown>)['Island']).toBeUndefined();
  });

  test('wants every column, and an object for each row; says no more than 100 mistakes', () => {
    const { Sex: _, ...without } = row();
    expect(mistakesOf(model.read([without]))).toMatchObject([{ field: 'Sex', seen: 'nothing' }]);
    expect(mistakesOf(model.read([3, null, [1]])).map(({ seen }) => seen)).toEqual(['3', 'null', 'a list']);
    const many = mistakesOf(model.read(Array.from({ length: 500 }, () => ({}))));
    expect(many).toHaveLength(100);
    const wide = Object.fromEntries(Array.from({ length: 5000 }, (_x, i) => [`column ${i}`, i]));
    expect(mistakesOf(model.read([wide]))).toHaveLength(100);
  });

  test('passes over other fields where it is told to', () => {
    expect(batchOf(model.read([row({ remark: 'none', Species: 'Gentoo' })], 'ignored')).rows).toBe(1);
  });

  test('refuses an alias of no column, and one that is a column itself', async () => {
    await expect(openModel(made.dir, { aliases: { a: 'Iland' } })).rejects.toThrow(
      'the alias a: the model has no column Iland; did you mean Island?',
    );
    await expect(openModel(made.dir, { aliases: { Sex: 'Island' } })).rejects.toThrow(/another column/);
  });
});

test('a regression answers values; onnxruntime agrees while it is opened', async () => {
  const { dir, records, predictions } = await penguinModel('regression');
  const model = await openModel(dir);
  expect(model).toMatchObject({ task: 'regression', engine: 'forest', classes: [], cutoff: null });
  const answers = await model.score(batchOf(model.read(records)));
  expect(answers).toEqual({ labels: null, probabilities: null, values: predictions });
  rmSync(path.dirname(dir), { recursive: true });
});

test('labels are of the type that the target has', async () => {
  const { dir } = await penguinModel('classification', { classes: ['0', '1', '2'] });
  const model = await openModel(dir);
  expect(model.classes).toEqual([0, 1, 2]);
  rmSync(path.dirname(dir), { recursive: true });
});

test('says what is no model, and what is one of another kind', async () => {
  const { dir } = await penguinModel('regression');
  await expect(openModel('/nowhere')).rejects.toThrow(/\/nowhere: holds no MLmodel; name the directory/);
  await expect(openModel(path.join(dir, 'MLmodel'))).rejects.toThrow(/holds no MLmodel/);
  const mlmodel = readFileSync(path.join(dir, 'MLmodel'), 'utf8');
  const change = (from: string, to: string): void =>
    writeFileSync(path.join(dir, 'MLmodel'), mlmodel.replace(from, to));
  change('\n  onnx:', '\n  sklearn:');
  await expect(openModel(dir)).rejects.toThrow(
    /has the flavors sklearn, python_function, expected onnx: export/,
  );
  change('data: model.onnx', 'data: ../../etc/passwd');
  await expect(openModel(dir)).rejects.toThrow(/names the file \.\.\/\.\.\/etc\/passwd, expected one in its/);
  change('data: model.onnx', 'data: gone.onnx');
  await expect(openModel(dir)).rejects.toThrow(/its ONNX file cannot be read/);
  writeFileSync(path.join(dir, 'MLmodel'), ': : :');
  await expect(openModel(dir)).rejects.toMatchObject({ code: 'MODEL_INVALID' });
  rmSync(path.dirname(dir), { recursive: true });
});

/** Jest takes seconds to compare long arrays. */
const equal = (one: Float64Array | undefined, other: Float64Array): boolean =>
  one?.length === other.length && one.every((value, i) => value === other[i]);
