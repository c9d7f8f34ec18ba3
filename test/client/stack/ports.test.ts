import { createServer, type AddressInfo, type Server } from 'node:net';
import { freePort, isPortFree, portHolder } from '../../../client/stack/ports';

const listen = (): Promise<Server> =>
  new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      resolve(server);
    });
  });

describe('ports', () => {
  it('tells a free port from one that is taken', async () => {
    const server = await listen();
    const { port } = server.address() as AddressInfo;
    expect(await isPortFree(port)).toBe(false);
    await new Promise((resolve) => server.close(resolve));
    expect(await isPortFree(port)).toBe(true);
  });

  it('finds a free one', async () => {
    const port = await freePort();
    expect(await isPortFree(port)).toBe(true);
  });

  const onLinux = process.platform === 'linux' ? it : it.skip;

  onLinux('names the process that listens', async () => {
    const server = await listen();
    const { port } = server.address() as AddressInfo;
    expect(portHolder(port)).toMatchObject({ pid: process.pid });
    await new Promise((resolve) => server.close(resolve));
    expect(portHolder(port)).toBeNull();
  });
});
