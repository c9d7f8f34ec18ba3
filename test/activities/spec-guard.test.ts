import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { checkedSpec } from '../../activities/spec-guard';
import { loadParams } from '../../pipeline/run/load-params';
import { paramsHash } from '../../ml/hashing/pipeline-key';

const ROOT = path.resolve(__dirname, '..', '..');
const HASH = 'a'.repeat(64);

async function specOf(file: string): Promise<Record<string, unknown>> {
  const params = await loadParams(ROOT, file);
  const spec = {
    params,
    paramsPath: file,
    data: { path: params.data.path, sha256: HASH, md5: 'b'.repeat(32), sizeBytes: 1 },
    ...{ paramsHash: paramsHash(params), codeHash: HASH, pipelineKey: HASH },
    git: { commit: '', branch: '', dirty: false, remoteUrl: '' },
  };
  // As it travels.
  return JSON.parse(JSON.stringify(spec)) as Record<string, unknown>;
}

const FILES = [
  'params.yaml',
  ...readdirSync(path.join(ROOT, 'examples')).map((name) => `examples/${name}/params.yaml`),
];

describe('the spec of a run, as a worker reads it again', () => {
  test.each(FILES)('of %s is what the client made of it, and has its hash', async (file) => {
    const spec = await specOf(file);
    const read = checkedSpec(spec);
    expect(JSON.parse(JSON.stringify(read))).toEqual(spec);
    expect(paramsHash(read.params)).toBe(spec['paramsHash']);
  });

  test.each([
    ['trees without number', { train: { n_estimators: 1e9 } }, 'spec.params.train.n_estimators: '],
    ['a key that there is not', { train: { n_trees: 3 } }, 'spec.params.train: '],
    ['a model’s name that is a path', { model: '../../etc' }, 'spec.params.model: '],
    ['no data', { data: undefined }, 'spec.params.data: '],
  ])('with %s is refused, in one bounded line', async (_what, over, told) => {
    const spec = await specOf('params.yaml');
    const params = spec['params'] as Record<string, object>;
    const forged = Object.fromEntries(
      Object.entries({ ...params, ...over }).map(([key, value]) => [
        key,
        typeof value === 'object' && key in over ? { ...params[key], ...(value as object) } : value,
      ]),
    );
    let message = '';
    try {
      checkedSpec({ ...spec, params: forged });
    } catch (error) {
      message = (error as Error).message;
      expect(error).toMatchObject({ code: 'CONFIG_INVALID', retryable: false });
    }
    expect(message).toContain(told);
    expect(message.length).toBeLessThan(400);
    expect(message).not.toContain('\n');
  });

  test.each([null, 'x', [], {}, { params: {} }])('that is %j is refused', (spec) => {
    expect(() => checkedSpec(spec)).toThrow('leave spec out');
  });

  test('of every recorded history can still be read', () => {
    const dir = path.join(ROOT, 'test', 'histories');
    let read = 0;
    for (const name of readdirSync(dir)) {
      const text = readFileSync(path.join(dir, name), 'utf8');
      for (const [, data = ''] of text.matchAll(/"data": "([A-Za-z0-9+/=]{40,})"/g)) {
        const value = asJson(Buffer.from(data, 'base64').toString());
        if (typeof value !== 'object' || value === null || !('spec' in value)) continue;
        expect(() => checkedSpec(value.spec)).not.toThrow();
        read++;
      }
    }
    expect(read).toBeGreaterThan(5);
  });
});

function asJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
