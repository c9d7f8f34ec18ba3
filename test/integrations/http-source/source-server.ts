import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Play = (request: IncomingMessage, response: ServerResponse, asked: URL) => void;

/** A source that plays what a test says, and remembers what it was asked. */
export class SourceServer {
  readonly asked: { url: string; headers: IncomingMessage['headers'] }[] = [];
  private readonly server: Server;
  play: Play = (_, response) => json(response, []);

  constructor() {
    this.server = createServer((request, response) => {
      this.asked.push({ url: request.url ?? '', headers: request.headers });
      this.play(request, response, new URL(request.url ?? '', this.origin));
    });
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

export function json(response: ServerResponse, value: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(200, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(value));
}
