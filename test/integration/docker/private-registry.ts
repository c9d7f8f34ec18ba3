import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';

/** A layer without files: an empty tar archive. */
const LAYER = Buffer.alloc(1024);

const CONFIG = Buffer.from(
  JSON.stringify({
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    os: 'linux',
    config: { Labels: { test: 'private-registry' } },
    rootfs: { type: 'layers', diff_ids: [digest(LAYER)] },
  }),
);

const MANIFEST_TYPE = 'application/vnd.docker.distribution.manifest.v2+json';

const MANIFEST = Buffer.from(
  JSON.stringify({
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    config: {
      mediaType: 'application/vnd.docker.container.image.v1+json',
      size: CONFIG.length,
      digest: digest(CONFIG),
    },
    layers: [
      {
        mediaType: 'application/vnd.docker.image.rootfs.diff.tar',
        size: LAYER.length,
        digest: digest(LAYER),
      },
    ],
  }),
);

/**
 * A registry on the loopback interface that has one image, under any name, for whoever knows the password: the reading half of
 * https://github.com/opencontainers/distribution-spec/blob/main/spec.md.
 */
export class PrivateRegistry {
  readonly user = 'someone';
  readonly password = 'p:ss';
  private readonly server: Server;

  constructor() {
    this.server = createServer((request, response) => {
      if (!this.knows(request)) {
        response.writeHead(401, { 'www-authenticate': 'Basic realm="test"' }).end();
        return;
      }
      const { url = '' } = request;
      const isManifest = url.includes('/manifests/');
      const body = isManifest ? MANIFEST : [CONFIG, LAYER].find((blob) => url.endsWith(digest(blob)));
      const isRoot = url === '/v2/';
      if (body === undefined && !isRoot) {
        response.writeHead(404).end();
        return;
      }
      const content = body ?? Buffer.from('{}');
      response.writeHead(200, {
        'docker-content-digest': digest(content),
        'content-type': isManifest ? MANIFEST_TYPE : 'application/octet-stream',
        'content-length': content.length,
      });
      response.end(request.method === 'HEAD' ? undefined : content);
    });
  }

  /** @returns `127.0.0.1:<port>` */
  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private knows(request: IncomingMessage): boolean {
    const wanted = Buffer.from(`${this.user}:${this.password}`).toString('base64');
    return request.headers.authorization === `Basic ${wanted}`;
  }
}

function digest(content: Buffer): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}
