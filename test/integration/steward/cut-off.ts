import { createServer, connect, type Server, type Socket, type AddressInfo } from 'node:net';
import { once } from 'node:events';

/** A way to a server that can be cut off: what goes through breaks off, what comes is refused. */
export class CutOff {
  private readonly sockets = new Set<Socket>();
  private isCut = false;

  private constructor(
    private readonly server: Server,
    readonly uri: string,
  ) {}

  static async to(target: string): Promise<CutOff> {
    const { hostname, port } = new URL(target);
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const way = new CutOff(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    server.on('connection', (from) => way.pass(from, connect(Number(port), hostname)));
    return way;
  }

  cut(): void {
    this.isCut = true;
    for (const socket of this.sockets) socket.destroy();
  }

  mend(): void {
    this.isCut = false;
  }

  async close(): Promise<void> {
    this.cut();
    this.server.close();
    await once(this.server, 'close');
  }

  private pass(from: Socket, to: Socket): void {
    for (const socket of [from, to]) {
      this.sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.sockets.delete(socket);
        from.destroy();
        to.destroy();
      });
    }
    if (this.isCut) from.destroy();
    else from.pipe(to).pipe(from);
  }
}
