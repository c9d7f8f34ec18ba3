import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { OnnxProcess } from '../../../serving/model/onnx-process';
import { type SentTensor } from '../../../serving/model/onnx-protocol';
import { openModel } from '../../../serving/model/open-model';
import { dynamicBomb, model as graph, node } from '../../attacks/foreign-onnx';
import { openApi } from '../api/open-api';
import { twoClasses } from './two-classes';

// Each of its models is small; what is long is to start a process on a busy machine.
jest.setTimeout(120_000);

const feed = (rows: number): SentTensor => ({
  ...{ name: 'input', type: 'float32', dims: [rows, 2] },
  data: new Float32Array(rows * 2).fill(1),
});
const sums = graph([node('ReduceMax', ['input'], 'prediction')]);
const ask = (process: OnnxProcess, rows = 3): Promise<readonly SentTensor[]> =>
  process.run([feed(rows)], ['prediction']);

/** Bounded processes that this one has started and that are not waited for. */
function children(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const [, state, parent] = /\) (\S) (\d+) /.exec(readFileSync(`/proc/${pid}/stat`, 'latin1')) ?? [];
        const bounded = readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('--max-old-space-size');
        return Number(parent) === process.pid && state !== 'Z' && bounded;
      } catch {
        return false;
      }
    });
}

/** The process of the model that is asked next: started, and with its model loaded. */
async function started(before: readonly number[]): Promise<number> {
  for (;;) {
    const [pid] = children().filter((one) => !before.includes(one));
    if (pid !== undefined) return pid;
    await sleep(5);
  }
}

const gone = async (pid: number): Promise<void> => {
  while (children().includes(pid)) await sleep(5);
};

describe('the process of a model', () => {
  test('that is killed amid an answer is an error at once, and is started again by the next question', async () => {
    const before = children();
    const model = new OnnxProcess({ bytes: sums });
    await ask(model);
    const pid = await started(before);
    process.kill(pid, 'SIGSTOP');
    const asked = Promise.allSettled([ask(model), ask(model)]);
    process.kill(pid, 'SIGKILL');
    for (const one of await asked) {
      expect(one).toMatchObject({
        status: 'rejected',
        reason: { code: 'MODEL_INVALID', message: expect.stringContaining('was ended by SIGKILL') as string },
      });
    }
    expect(await ask(model)).toHaveLength(1);
    const next = await started(before);
    expect(next).not.toBe(pid);
    await model.close();
    expect(children()).not.toContain(next);
  });

  test('that was killed while nobody asked is started again', async () => {
    const before = children();
    const model = new OnnxProcess({ bytes: sums });
    await ask(model);
    const pid = await started(before);
    process.kill(pid, 'SIGKILL');
    await gone(pid);
    // It may not have heard of it yet: then the question is an error, and never waits for ever.
    const [first] = await Promise.allSettled([ask(model)]);
    if (first?.status === 'rejected') expect(first.reason).toMatchObject({ code: 'MODEL_INVALID' });
    expect(await ask(model)).toHaveLength(1);
    await model.close();
  });

  test('that takes too long is ended, and started again', async () => {
    const before = children();
    const model = new OnnxProcess({ bytes: sums }, { runMs: 1000 });
    await ask(model);
    const pid = await started(before);
    process.kill(pid, 'SIGSTOP');
    await expect(ask(model)).rejects.toMatchObject({
      code: 'MODEL_INVALID',
      message: 'the model took longer than 1 s to answer; it was ended',
    });
    await gone(pid);
    // Its first answer takes the time of loading, which has a bound of its own.
    expect(await ask(model)).toHaveLength(1);
    await model.close();
  });

  test.each([
    // 4 GB, which there are addresses for; 30 GB, for which there are none.
    ['is ended', [40_000, 12_500], /^the model took more than the 0\.5 GiB of memory that it may/],
    ['gets none', [120_000, 31_250], /got no more memory|more than the 0\.5 GiB|onnxruntime refuses/],
  ])('that wants more memory than it may have %s', async (_, factor, message) => {
    const before = children();
    const model = new OnnxProcess({ bytes: dynamicBomb(factor) }, { memoryBytes: 512 << 20 });
    for (let i = 0; i < 2; i++) {
      await expect(ask(model, 1)).rejects.toMatchObject({
        code: 'MODEL_INVALID',
        message: expect.stringMatching(message) as string,
      });
    }
    await model.close();
    // The system takes a moment to take so much memory back.
    for (const pid of children().filter((one) => !before.includes(one))) await gone(pid);
  });

  test('whose model is none says so, each time it is asked', async () => {
    const model = new OnnxProcess({ bytes: Uint8Array.of(1, 2, 3) });
    for (let i = 0; i < 2; i++)
      await expect(ask(model)).rejects.toThrow(/^onnxruntime refuses the model or the rows/);
    await model.close();
    await expect(ask(model)).rejects.toThrow('the model has been closed');
  });

  test('that is closed answers nobody who still waits, and leaves nothing behind', async () => {
    const before = children();
    const model = new OnnxProcess({ bytes: sums });
    await ask(model);
    process.kill(await started(before), 'SIGSTOP');
    const asked = Promise.allSettled([ask(model)]);
    await model.close();
    expect(await asked).toMatchObject([{ status: 'rejected', reason: { code: 'MODEL_INVALID' } }]);
    expect(children().filter((pid) => !before.includes(pid))).toEqual([]);
  });
});

test('a request whose model is killed is answered 503 with Retry-After, and the next one is answered', async () => {
  const { dir, records } = await twoClasses('logistic');
  const before = children();
  const model = await openModel(dir);
  const { app, errors } = await openApi({}, model);
  await app.listen({ host: '127.0.0.1', port: 0 });
  const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}/predict`;
  const post = (): Promise<Response> =>
    fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ rows: records }),
    });
  expect((await post()).status).toBe(200);
  const pid = await started(before);
  process.kill(pid, 'SIGSTOP');
  const waiting = Promise.all([post(), post(), post()]);
  // They are on their way to a process that says nothing, and then is no more.
  await sleep(50);
  process.kill(pid, 'SIGKILL');
  for (const response of await waiting) {
    if (response.status === 200) continue;
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1']);
    expect(await response.json()).toMatchObject({
      type: 'urn:retrain:problem:model',
      detail: expect.stringContaining('started again when it is asked next') as string,
    });
  }
  expect((await post()).status).toBe(200);
  expect(errors).toEqual([]);
  await app.close();
  await model.close();
  rmSync(path.dirname(dir), { recursive: true });
});
