// A process of its own that runs one model in onnxruntime, for `OnnxProcess`. What it is sent and answers: onnx-protocol.ts.
import { readFile } from 'node:fs/promises';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { type OnnxReply, type OnnxRequest, type SentTensor } from './onnx-protocol';

let session: InferenceSession | undefined;

async function open({ model, threads }: OnnxRequest & { ask: 'open' }): Promise<readonly SentTensor[]> {
  const bytes = 'file' in model ? await readFile(model.file) : model.bytes;
  session = await InferenceSession.create(bytes, {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    logSeverityLevel: 4,
  });
  return [];
}

async function run({ feeds, outputs }: OnnxRequest & { ask: 'run' }): Promise<readonly SentTensor[]> {
  if (session === undefined) throw new Error('no model was opened');
  const fed = Object.fromEntries(
    feeds.map(({ name, type, dims, data }) => [name, tensorOf(type, data, dims)]),
  );
  const said = await session.run(fed, [...outputs]);
  return outputs.map((name) => {
    const { type, dims, data } = said[name]!;
    return { name, type, dims, data } as SentTensor;
  });
}

const tensorOf = (type: SentTensor['type'], data: SentTensor['data'], dims: readonly number[]): Tensor =>
  new Tensor(type as 'float32', data as Float32Array, dims);

const answer = (request: OnnxRequest): Promise<readonly SentTensor[]> =>
  request.ask === 'open' ? open(request) : run(request);

function reply(message: OnnxReply): void {
  process.send?.(message);
}

let last: Promise<void> = Promise.resolve();

process.on('message', (request: OnnxRequest) => {
  // One after the other: a model takes the memory of one batch.
  last = last.then(async () => {
    try {
      reply({ id: request.id, outputs: await answer(request) });
    } catch (error) {
      const [line = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
      reply({ id: request.id, refused: line.slice(0, 500) });
    }
  });
});

// Whoever started it is gone.
process.on('disconnect', () => process.exit());
