import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the server does with a request instead of serving it; undefined: serve it. */
export type Fault = (request: IncomingMessage, count: number) => number | 'cut' | 'reset' | undefined;

/** An HTTP data remote in memory, with Basic auth and faults on demand. */
export class ObjectServer {
  readonly objects = new Map<string, Buffer>();
  /** `METHOD /path` of every request, in order. */
  readonly requests: string[] = [];
  fault: Fault = () => undefined;
  authorization: string | undefined;
  private readonly server = createServer((request, response) => void this.serve(request, response));

  async start(): Promise<string> {
    // On a machine that stands still for seconds, an idle connection would end just as a request goes out on it: a fault that no test asked for.
    this.server.keepAliveTimeout = 0;
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/team/project.dvc`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const key = request.url!.replace('/team/project.dvc/', '');
    this.requests.push(`${request.method} ${key}`);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const fault = this.fault(request, this.requests.length);
    if (fault === 'reset') return void request.socket.destroy();
    if (typeof fault === 'number') return void response.writeHead(fault).end('no luck');
    if (this.authorization !== undefined && request.headers.authorization !== this.authorization) {
      return void response.writeHead(401).end('who are you?');
    }
    if (request.method === 'POST' || request.method === 'PUT') {
      const body = Buffer.concat(chunks);
      const md5 = createHash('md5').update(body).digest('base64');
      if (md5 !== (request.headers['content-md5'] ?? md5))
        return void response.writeHead(400).end('bad digest');
      this.objects.set(key, body);
      return void response.writeHead(201).end();
    }
    const object = this.objects.get(key);
    if (!object) return void response.writeHead(404).end();
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const body = object.subarray(from);
    response.writeHead(from > 0 ? 206 : 200, { 'content-length': body.length });
    if (request.method === 'HEAD') return void response.end();
    if (fault !== 'cut') return void response.end(body);
    response.write(body.subarray(0, Math.ceil(body.length / 2)), () =>
      setTimeout(() => request.socket.destroy(), 10),
    );
  }
}
