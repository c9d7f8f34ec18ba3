import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { readJson } from '../../activities/read-json';
import { isErrorCode, RetrainError } from '../../contracts/errors';
import { Params } from '../../contracts/params';
import { parseProgressLine } from '../../contracts/progress-line';
import { Evaluation, TableProfile, TableSchema, TrainingNotes } from '../../contracts/stage';
import { ContentStore } from '../../integrations/dvc/content-store';
import { readDvcFile } from '../../integrations/dvc/dvc-file';
import { readLockFile } from '../../integrations/dvc/lock-file';
import { readPipelineFile } from '../../integrations/dvc/pipeline-file';
import { stageErrorIn } from '../../integrations/files/stage-error';
import { describeModel } from '../../integrations/mlflow/model-description';
import { readDuckTable } from '../../ml/dataset/duckdb/read-duck-table';
import { readTable } from '../../ml/dataset/read-table';
import { decodeSeenRows } from '../../ml/dataset/seen-rows';
import { decodeOnnx } from '../../ml/onnx/decode';
import { readOnnxInterface, readOnnxInterfaceOf } from '../../ml/onnx/read-interface';
import { requireHarmless } from '../../ml/onnx/require-harmless';
import { computeStage } from '../../pipeline/compute-stage';
import { loadParams } from '../../pipeline/run/load-params';
import { collectStage } from '../../pipeline/stage-folder';
import { checkedInput } from '../../workflows/training-input';
import { codeOf } from './attack';
import { dynamicBomb } from './foreign-onnx';

/** Something that reads what strangers write. */
export interface Target {
  name: string;
  corpus: readonly Buffer[];
  read: (bytes: Buffer) => unknown;
}

const MOST_MESSAGE = 5000;

/** Growth of the process over all inputs of a target, in bytes. */
const MOST_GROWTH = 400 * 2 ** 20;

const text = (...texts: string[]): Buffer[] => texts.map((one) => Buffer.from(one));

const PARAMS = `experiment: e\nmodel: m\nx-shared: &s {seed: 1}\ndata: {path: d.csv, target: y}\npreprocess: {<<: *s, sql: "select * from data", filter: "a > 1"}\ntrain: {executor: container, image: retrain/x:1, memory: 2g, n_estimators: 3}\ngate: {accuracy: 0.9}\n`;

/** All targets, in a folder that the caller removes. */
export async function fuzzTargets(): Promise<{ targets: Target[]; folder: string }> {
  const folder = mkdtempSync(path.join(tmpdir(), 'fuzz-'));
  const at = (name: string): string => path.join(folder, name);
  const store = new ContentStore(at('cache'));
  const file =
    (name: string, read: (file: string) => unknown) =>
    (bytes: Buffer): unknown => {
      writeFileSync(at(name), bytes);
      return read(at(name));
    };
  mkdirSync(at('spill'));
  const table = (name: string): Target['read'] =>
    file(name, (made) =>
      readTable(
        made,
        name,
        { choice: { target: 'y', drop: [], rename: {} }, allowMissing: true },
        (files, shown, options) => readDuckTable(files, shown, { ...options, spillDir: at('spill') }),
      ),
    );
  const csv = 'a,b,y\n1,2.5,x\n,"q ""q""",y\n3,4,x\n';
  const lines = '{"a":1,"y":"x"}\n{"a":null,"y":"y"}\n';
  const params = Params.parse({ experiment: 'e', model: 'm', data: { path: 'd.csv', target: 'y' } });
  const work = computeStage('train', params, {
    ...{ combined: 'c', stages: { preprocess: 'a', train: 'b', evaluate: 'c' } },
  });
  const json =
    (name: string, schema: { parse(value: unknown): unknown }) =>
    async (bytes: Buffer): Promise<unknown> => {
      const value = await readJson(store, await store.putBytes(bytes, name));
      try {
        return schema.parse(value);
      } catch {
        return undefined; // A value of another shape: its stage is told by whoever asked for it.
      }
    };
  return {
    folder,
    targets: [
      {
        name: 'params.yaml',
        corpus: text(PARAMS, '', 'a: *b', '{{{{', '- 1', '%YAML 1.1\n---\n!!js/function x'),
        read: file('params.yaml', () => loadParams(folder, 'params.yaml')),
      },
      {
        name: 'the input of a trigger',
        corpus: text(
          '{"overrides": {"train": {"n_estimators": 2}}, "force": true}',
          '{"params": "params.yaml"}',
          '{"spec": {"params": {}, "data": {}}}',
        ),
        read: async (bytes) => {
          let value: unknown;
          try {
            value = JSON.parse(bytes.toString('utf8'));
          } catch {
            return; // The server refuses it.
          }
          const { params: name = 'trigger.yaml', overrides = {} } = checkedInput(value);
          writeFileSync(at('trigger.yaml'), PARAMS);
          return loadParams(folder, name, overrides, 'trigger');
        },
      },
      { name: 'CSV', corpus: text(csv, 'y\n', '\ufeffa;y\n1;x\n', 'a,a,y\n1,2,x\n'), read: table('d.csv') },
      { name: 'gzip', corpus: [gzipSync(csv), gzipSync(csv.repeat(50))], read: table('d.csv.gz') },
      {
        name: 'JSON lines',
        corpus: text(lines, '[{"a":1,"y":"x"}]', `{"a":{"b":[1]},"y":"x"}`),
        read: table('d.jsonl'),
      },
      { name: 'Parquet', corpus: [await parquet(at('made.parquet'))], read: table('d.parquet') },
      {
        name: 'dvc.yaml',
        corpus: text('stages:\n  a:\n    cmd: x\n    deps: [d.csv]\n    outs:\n      - m: {cache: false}\n'),
        read: file('dvc.yaml', readPipelineFile),
      },
      {
        name: 'dvc.lock',
        corpus: text(
          `schema: '2.0'\nstages:\n  a:\n    cmd: x\n    deps:\n    - {path: d.csv, md5: ${'a'.repeat(32)}, size: 1}\n    outs:\n    - {path: m, md5: ${'b'.repeat(32)}.dir, size: 1, nfiles: 1}\n`,
        ),
        read: file('dvc.lock', readLockFile),
      },
      {
        name: 'a .dvc file',
        corpus: text(`outs:\n- md5: ${'a'.repeat(32)}\n  size: 1\n  hash: md5\n  path: d.csv\n`),
        read: file('d.csv.dvc', readDvcFile),
      },
      {
        name: 'MLmodel',
        corpus: text(
          'flavors: {onnx: {data: model.onnx}}\nmetadata: {feature_names: [a], class_labels: [x]}\n',
          'a: &a [*a]',
        ),
        read: (bytes) => describeModel(bytes),
      },
      {
        name: 'ONNX',
        corpus: [Buffer.from(dynamicBomb())],
        read: (bytes) => {
          decodeOnnx(bytes);
          file('m.onnx', readOnnxInterfaceOf)(bytes);
          readOnnxInterface(bytes);
          requireHarmless(bytes);
        },
      },
      { name: 'seen-rows.bin', corpus: [Buffer.alloc(64)], read: (bytes) => decodeSeenRows(bytes) },
      {
        name: 'metrics of a stage',
        corpus: text('{"accuracy": 1}', '{"a": [[[]]]}', '[1]', 'NaN'),
        read: async (bytes) => {
          mkdirSync(at('out'), { recursive: true });
          writeFileSync(at('out/model.onnx'), 'model');
          writeFileSync(at('out/metrics.json'), bytes);
          return collectStage(store, folder, work);
        },
      },
      {
        name: 'the error of a stage',
        corpus: text(
          '{"code": "DATA_INVALID", "message": "line 1"}',
          '{"code": "\\u001b", "message": "\\u009b"}',
        ),
        read: async (bytes) => {
          mkdirSync(at('out'), { recursive: true });
          writeFileSync(at('out/error.json'), bytes);
          const error = await stageErrorIn(folder);
          if (error !== null) throw error;
        },
      },
      {
        name: 'a progress line',
        corpus: text('{"phase": "x", "done": 1}'),
        read: (bytes) => parseProgressLine(bytes.toString('utf8')),
      },
      {
        name: 'schema.json',
        corpus: text(
          '{"features":["a"],"target":"y","classes":[],"rows":{"train":1,"test":1},"example":[[1]]}',
        ),
        read: json('schema.json', TableSchema),
      },
      {
        name: 'profile.json',
        corpus: text('{"rows":1,"rowsRead":1,"target":"y","columns":[]}'),
        read: json('profile.json', TableProfile),
      },
      {
        name: 'training.json',
        corpus: text('{"importances":[{"feature":"a","importance":1}]}'),
        read: json('training.json', TrainingNotes),
      },
      {
        name: 'evaluation.json',
        corpus: text(
          '{"candidate":{"metrics":{},"perClass":[],"confusion":[[1]]},"champion":null,"championError":null,"rows":1}',
        ),
        read: json('evaluation.json', Evaluation),
      },
    ],
  };
}

async function parquet(file: string): Promise<Buffer> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  await connection.run(
    `copy (select i as a, 'x' || (i % 2) as y from range(20) t(i)) to '${file}' (format parquet)`,
  );
  connection.closeSync();
  instance.closeSync();
  const { readFileSync } = await import('node:fs');
  const bytes = readFileSync(file);
  rmSync(file);
  return bytes;
}

/** A corpus, changed by chance: bytes turned, cut out, doubled, put in, or all of it made up. */
const mutated = (corpus: readonly Buffer[]): fc.Arbitrary<Buffer> => {
  const change = fc.record({
    kind: fc.constantFrom('turn', 'cut', 'double', 'insert', 'end' as const),
    where: fc.double({ min: 0, max: 0.999, noNaN: true }),
    length: fc.integer({ min: 1, max: 16 }),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 8 }),
    token: fc.constantFrom(
      '[',
      '{',
      '"',
      ':',
      '\0',
      '\u001b[2J',
      '*a',
      '&a',
      '-',
      '1e999',
      '\uffff',
      '}',
      '../',
      '__proto__',
    ),
  });
  return fc.oneof(
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)) },
    {
      weight: 9,
      arbitrary: fc
        .tuple(fc.constantFrom(...corpus), fc.array(change, { minLength: 1, maxLength: 6 }))
        .map(([start, changes]) =>
          changes.reduce<Buffer>((now, { kind, where, length, bytes, token }) => {
            const at = Math.floor(where * now.length);
            const [before, after] = [now.subarray(0, at), now.subarray(at)];
            const rest = after.subarray(Math.min(length, after.length));
            if (kind === 'turn') return Buffer.concat([before, Buffer.from(bytes), rest]);
            if (kind === 'cut') return Buffer.concat([before, rest]);
            if (kind === 'double') return Buffer.concat([before, after.subarray(0, length), after]);
            if (kind === 'end') return Buffer.from(before);
            return Buffer.concat([before, Buffer.from(token), after]);
          }, start),
        ),
    },
  );
};

/**
 * Whatever the bytes: they are read, or refused with one bounded line and a code of the table; and the process does not grow.
 *
 * @param limits runs, or ms; a seed makes it the same each time
 */
export async function fuzz(
  { corpus, read }: Target,
  limits: { runs: number; ms?: number; seed?: number },
): Promise<void> {
  const before = process.memoryUsage.rss();
  const { runs, ms, seed } = limits;
  const property = fc.asyncProperty(mutated(corpus), async (bytes) => {
    let thrown: unknown;
    try {
      await read(bytes);
      return;
    } catch (error) {
      thrown = error;
    }
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    if (!(thrown instanceof RetrainError) && !isErrorCode(codeOf(thrown) ?? '')) throw thrown;
    expect(message).toMatch(/^[^\p{Cc}]+$/u);
    expect(message.length).toBeLessThan(MOST_MESSAGE);
  });
  await fc.assert(property, {
    numRuns: runs,
    ...(ms === undefined ? {} : { interruptAfterTimeLimit: ms }),
    ...(seed === undefined ? {} : { seed }),
  });
  expect(process.memoryUsage.rss() - before).toBeLessThan(MOST_GROWTH);
}
