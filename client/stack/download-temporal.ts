import { createWriteStream, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { EnvHttpProxyAgent, fetch } from 'undici';
import { z } from 'zod';
import { runTool } from './run-tool';
import { type Environment } from '../../integrations/files/dot-env';

/** The address from which Temporal's SDKs download the dev server. */
const SDK_DOWNLOADS = 'https://temporal.download';

const DownloadInfo = z.object({ archiveUrl: z.url(), fileToExtract: z.string() });

/** Where only package registries are reachable, this long is lost before the build with Go begins. */
const REACHABLE_WITHIN_MS = 5_000;

/** 100 MB at 350 KB/s. */
const DOWNLOAD_WITHIN_MS = 300_000;

/**
 * Downloads the Temporal CLI into a folder as `temporal`, by way of HTTPS_PROXY where that is set.
 *
 * @param base another address, for tests
 * @returns why it did not work; null when it did
 */
export async function downloadTemporal(
  version: string,
  folder: string,
  env: Environment,
  base = SDK_DOWNLOADS,
): Promise<string | null> {
  const dispatcher = new EnvHttpProxyAgent({
    ...proxies(env),
    connect: { timeout: REACHABLE_WITHIN_MS },
  });
  const archive = join(folder, 'download.tar.gz');
  try {
    const query = new URLSearchParams({ platform: process.platform, arch: goArch(), format: 'tar.gz' });
    const answer = await fetch(`${base}/cli/v${version}?${query.toString()}`, {
      dispatcher,
      signal: AbortSignal.timeout(REACHABLE_WITHIN_MS),
    });
    if (!answer.ok) return `${base} answered ${answer.status}`;
    const info = DownloadInfo.parse(await answer.json());
    const download = await fetch(info.archiveUrl, {
      dispatcher,
      signal: AbortSignal.timeout(DOWNLOAD_WITHIN_MS),
    });
    if (!download.ok || download.body === null) return `${info.archiveUrl} answered ${download.status}`;
    await pipeline(Readable.fromWeb(download.body), createWriteStream(archive));
    const unpacked = await runTool({
      command: 'tar',
      args: ['-xzf', archive, '-C', folder, info.fileToExtract],
      cwd: folder,
      env,
      logFile: join(folder, 'unpack.log'),
    });
    return unpacked ? null : `${info.archiveUrl} cannot be unpacked`;
  } catch (error) {
    return reasonOf(error, base);
  } finally {
    rmSync(archive, { force: true });
    await dispatcher.close();
  }
}

function goArch(): string {
  return process.arch === 'x64' ? 'amd64' : process.arch;
}

function proxies(env: Environment): { httpProxy?: string; httpsProxy?: string; noProxy?: string } {
  const httpProxy = env['http_proxy'] || env['HTTP_PROXY'];
  const httpsProxy = env['https_proxy'] || env['HTTPS_PROXY'];
  const noProxy = env['no_proxy'] || env['NO_PROXY'];
  return {
    ...(httpProxy && { httpProxy }),
    ...(httpsProxy && { httpsProxy }),
    ...(noProxy && { noProxy }),
  };
}

function reasonOf(error: unknown, base: string): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return `${base} did not answer in time`;
  return error.cause instanceof Error ? error.cause.message : error.message;
}
