import { Connection } from '@temporalio/client';
import { type handleUnaryCall, Server, ServerCredentials, status } from '@grpc/grpc-js';
import { tellingInterceptor } from '../../temporal/outlast';
import { ensureSearchAttributes } from '../../temporal/search-attributes';
import { whenServing } from '../../temporal/when-serving';

const bytes = (value: Buffer): Buffer => value;

/** A server that has just begun to listen: it answers UNAVAILABLE as often as it is told, then as an empty one does. */
async function starting(refusals: number): Promise<{ address: string; close(): void }> {
  const server = new Server();
  let left = refusals;
  const answer: handleUnaryCall<Buffer, Buffer> = (_call, callback) => callback(null, Buffer.alloc(0));
  const notYet: handleUnaryCall<Buffer, Buffer> = (call, callback) => {
    if (left-- > 0) callback({ code: status.UNAVAILABLE, details: 'Not enough hosts to serve the request' });
    else answer(call, callback);
  };
  const method = (service: string, name: string): object => ({
    [name]: {
      path: `/temporal.api.${service}/${name}`,
      ...{ requestStream: false, responseStream: false },
      ...{
        requestSerialize: bytes,
        requestDeserialize: bytes,
        responseSerialize: bytes,
        responseDeserialize: bytes,
      },
    },
  });
  server.addService(method('workflowservice.v1.WorkflowService', 'GetSystemInfo') as never, {
    GetSystemInfo: answer,
  });
  server.addService(
    {
      ...method('operatorservice.v1.OperatorService', 'ListSearchAttributes'),
      ...method('operatorservice.v1.OperatorService', 'AddSearchAttributes'),
    },
    { ListSearchAttributes: notYet, AddSearchAttributes: answer },
  );
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  return { address: `127.0.0.1:${port}`, close: () => server.forceShutdown() };
}

async function prepared(refusals: number, longestMs?: number): Promise<{ added: number; told: string[] }> {
  const server = await starting(refusals);
  const connection = await Connection.connect({
    address: server.address,
    interceptors: [tellingInterceptor()],
  });
  const told: string[] = [];
  try {
    const added = await whenServing(
      server.address,
      () => ensureSearchAttributes(connection, 'default'),
      { onAway: (reason) => void told.push(reason), onBack: () => void told.push('back') },
      longestMs,
    );
    return { added: added.length, told };
  } finally {
    await connection.close();
    server.close();
  }
}

describe('a Temporal server that is just starting', () => {
  test('is waited for, and told of once', async () => {
    const { added, told } = await prepared(2);
    expect(added).toBeGreaterThan(5);
    expect(told).toEqual([expect.stringContaining('Not enough hosts to serve the request'), 'back']);
  });

  test('that does not get on is an outage, and refuses nothing', async () => {
    await expect(prepared(1000, 0)).rejects.toMatchObject({
      code: 'TEMPORAL_UNREACHABLE',
      message: expect.stringMatching(/^Temporal at 127\.0\.0\.1:\d+ listens, and answers nothing/) as string,
    });
  });

  test('that serves at once is not told of', async () => {
    expect((await prepared(0)).told).toEqual([]);
  });
});
