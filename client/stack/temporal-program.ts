import { chmodSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RetrainError } from '../../contracts/errors';
import { downloadTemporal } from './download-temporal';
import { findProgram, isExecutable, outputOf } from './find-program';
import type { Progress } from './progress';
import { runTool } from './run-tool';
import { installOnce, isInstalled, toolsCacheDir } from './tools-cache';
import { quotedEnd } from './server-process';
import { type Environment } from '../../integrations/files/dot-env';

/** The Temporal CLI that is installed where none is found. Newer tags cannot be built by `go install`. */
const TEMPORAL_CLI_VERSION = '1.5.1';

/** The oldest server that has all we use: conflict policies at start, updates, user metadata. */
const OLDEST_SERVER = [1, 26] as const;

/** The SDK whose cached download is used, as the SDK's own test environment names it. */
const SDK_CACHE_NAME = 'temporal-sdk-typescript-1.24.0';

export interface TemporalProgram {
  path: string;
  /** `1.5.1 (Server 1.29.1)`. */
  version: string;
  origin: 'PATH' | 'cache' | 'SDK cache';
}

const TOOL_FOLDER = `temporal-${TEMPORAL_CLI_VERSION}`;

/**
 * The `temporal` program that is there already: on the PATH and new enough, in our cache, or where
 * Temporal's SDK has left its download. Null when there is none.
 */
export async function findTemporal(env: Environment): Promise<TemporalProgram | null> {
  const onPath = findProgram('temporal', env);
  if (onPath !== null) {
    const found = await asProgram(onPath, 'PATH', env);
    if (found !== null) return found;
  }
  const cacheDir = toolsCacheDir(env);
  if (isInstalled(cacheDir, TOOL_FOLDER)) {
    const found = await asProgram(join(cacheDir, TOOL_FOLDER, 'temporal'), 'cache', env);
    if (found !== null) return found;
  }
  const ofSdk = join(env['TMPDIR'] || tmpdir(), SDK_CACHE_NAME);
  return isOurs(ofSdk) ? asProgram(ofSdk, 'SDK cache', env) : null;
}

/**
 * The `temporal` program, got where it is missing: downloaded from where the SDK downloads it, or built with Go
 * where only package registries are reachable.
 *
 * @throws RetrainError TOOL_MISSING that says how to get it
 */
export async function ensureTemporal(
  env: Environment,
  progress: Progress,
  part = 'Temporal',
): Promise<TemporalProgram> {
  const found = await findTemporal(env);
  if (found !== null) return found;
  const cacheDir = toolsCacheDir(env);
  await installOnce(
    cacheDir,
    TOOL_FOLDER,
    async (folder) => {
      progress.update(part, `downloading ${TEMPORAL_CLI_VERSION}`);
      const failure = await downloadTemporal(TEMPORAL_CLI_VERSION, folder, env);
      if (failure !== null) await buildTemporal(folder, cacheDir, failure, env, progress, part);
      chmodSync(join(folder, 'temporal'), 0o755);
    },
    (holder) => {
      progress.update(part, `waiting for another set-up (${holder}) that is installing it`);
    },
  );
  const installed = await asProgram(join(cacheDir, TOOL_FOLDER, 'temporal'), 'cache', env);
  if (installed !== null) return installed;
  throw new RetrainError(
    'TOOL_MISSING',
    `${join(cacheDir, TOOL_FOLDER)} holds a temporal program that does not run; remove the folder and try again`,
  );
}

async function buildTemporal(
  folder: string,
  cacheDir: string,
  failure: string,
  env: Environment,
  progress: Progress,
  part: string,
): Promise<void> {
  const howTo = `put \`temporal\` on the PATH (https://docs.temporal.io/cli), install Go from https://go.dev/dl so that it can be built, or set TEMPORAL_ADDRESS to a server that runs elsewhere`;
  const go = findProgram('go', env);
  if (go === null) {
    throw new RetrainError(
      'TOOL_MISSING',
      `Temporal was not found, its download failed (${failure}) and there is no Go to build it with; ${howTo}`,
    );
  }
  progress.update(part, `building ${TEMPORAL_CLI_VERSION} with Go (about 3 minutes on 2 cores)`);
  const logFile = join(cacheDir, `${TOOL_FOLDER}.log`);
  const built = await runTool({
    command: go,
    args: [
      'install',
      // Without symbol tables: 213 MB and not 252.
      `-ldflags=-s -w -X github.com/temporalio/cli/temporalcli.Version=${TEMPORAL_CLI_VERSION}`,
      `github.com/temporalio/cli/cmd/temporal@v${TEMPORAL_CLI_VERSION}`,
    ],
    cwd: folder,
    env: { ...withGoFolders(env, cacheDir), GOBIN: folder, GOFLAGS: '' },
    logFile,
  });
  if (!built) {
    throw new RetrainError(
      'TOOL_MISSING',
      `Temporal's download failed (${failure}) and so did its build with Go; ${howTo}${quotedEnd(logFile)}`,
    );
  }
}

/** Go wants a home for its caches; a build machine may have none. */
function withGoFolders(env: Environment, cacheDir: string): NodeJS.ProcessEnv {
  if (env['HOME']) return env;
  return { GOPATH: join(cacheDir, 'go'), GOCACHE: join(cacheDir, 'go-build'), ...env };
}

async function asProgram(
  path: string,
  origin: TemporalProgram['origin'],
  env: Environment,
): Promise<TemporalProgram | null> {
  const answer = isExecutable(path) ? await outputOf(path, ['--version'], env) : null;
  const [, cli, major, minor, patch] = /version (\S+).*\(Server (\d+)\.(\d+)\.(\d+)/.exec(answer ?? '') ?? [];
  if (cli === undefined || !isNewEnough(Number(major), Number(minor))) return null;
  return { path, version: `${cli} (server ${major}.${minor}.${patch})`, origin };
}

function isNewEnough(major: number, minor: number): boolean {
  return major > OLDEST_SERVER[0] || (major === OLDEST_SERVER[0] && minor >= OLDEST_SERVER[1]);
}

/** A program in a folder where everybody may write counts only if it is this user's and nobody else's to change. */
function isOurs(path: string): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat !== undefined && stat.uid === process.getuid?.() && (stat.mode & 0o022) === 0;
}
