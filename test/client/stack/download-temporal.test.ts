import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { downloadTemporal } from '../../../client/stack/download-temporal';

async function serving(answer: RequestListener, test: (base: string) => Promise<void>): Promise<void> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await test(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

const folder = (): string => mkdtempSync(join(tmpdir(), 'retrain-download-'));
const env = { PATH: process.env['PATH'] };

/** An archive as the release pages have it: the program beside a licence. */
function archive(): Buffer {
  const dir = folder();
  writeFileSync(join(dir, 'temporal'), 'the program');
  writeFileSync(join(dir, 'LICENSE'), 'MIT');
  return execFileSync('tar', ['-czf', '-', '-C', dir, 'temporal', 'LICENSE']);
}

describe('downloadTemporal', () => {
  it('asks for this platform and unpacks the program', async () => {
    const asked: string[] = [];
    const bytes = archive();
    const answer: RequestListener = (request, response) => {
      asked.push(request.url ?? '');
      if (request.url === '/archive') response.end(bytes);
      else {
        const archiveUrl = `http://${request.headers.host ?? ''}/archive`;
        response.end(JSON.stringify({ archiveUrl, fileToExtract: 'temporal' }));
      }
    };
    await serving(answer, async (base) => {
      const target = folder();
      expect(await downloadTemporal('1.5.1', target, env, base)).toBeNull();
      expect(readFileSync(join(target, 'temporal'), 'utf8')).toBe('the program');
      expect(existsSync(join(target, 'download.tar.gz'))).toBe(false);
    });
    const arch = process.arch === 'x64' ? 'amd64' : process.arch;
    expect(asked[0]).toBe(`/cli/v1.5.1?platform=${process.platform}&arch=${arch}&format=tar.gz`);
  });

  it('says what the server answered', async () => {
    const refuse: RequestListener = (_request, response) => {
      response.writeHead(403).end();
    };
    await serving(refuse, async (base) => {
      expect(await downloadTemporal('1.5.1', folder(), env, base)).toBe(`${base} answered 403`);
    });
  });

  it('says that something else answered', async () => {
    const portal: RequestListener = (_request, response) => {
      response.end('<html>Please log in</html>');
    };
    await serving(portal, async (base) => {
      expect(await downloadTemporal('1.5.1', folder(), env, base)).toMatch(/JSON/);
    });
  });

  it('says that nobody is there', async () => {
    expect(await downloadTemporal('1.5.1', folder(), env, 'http://127.0.0.1:9')).toMatch(
      /ECONNREFUSED|bad port/,
    );
  });
});
