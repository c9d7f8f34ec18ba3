import { z } from 'zod';
import { RetrainError } from '../../contracts/errors';
import type { Registry } from './registry';
import type { Runs } from './runs';
import type { MlflowTransport } from './transport';

const LoggedModel = z.looseObject({
  model: z.looseObject({ info: z.looseObject({ artifact_uri: z.string() }) }),
});

/** A path below the server’s artifact proxy, as one string with `/`. */
export type ProxyPath = string;

/**
 * The proxy path of an `mlflow-artifacts:` URI.
 * @throws RetrainError CONFIG_INVALID for any other scheme: those need credentials of their own that only the server should have
 */
export function proxyPath(uri: string): ProxyPath {
  const match = /^mlflow-artifacts:\/*(?:\/\/[^/]+\/)?(.*)$/.exec(uri);
  if (match !== null) return clean(match[1] ?? '');
  const scheme = /^[a-z][a-z0-9+.-]*(?=:)/i.exec(uri)?.[0] ?? 'file';
  throw new RetrainError(
    'CONFIG_INVALID',
    `MLflow keeps these artifacts at a ${scheme}: address, expected mlflow-artifacts:; start the server with --serve-artifacts and --artifacts-destination, and use a new experiment`,
  );
}

/** Joins a proxy path or URI with a relative path. */
export function below(root: string, path: string): string {
  const relative = clean(path);
  return relative === '' ? root : `${root.replace(/\/+$/, '')}/${relative}`;
}

/**
 * Follows a model version’s source to the artifact URI of its files: `runs:/<run id>/<path>`, `models:/m-<id>` (a
 * logged model), `models:/<name>/<version>`, `models:/<name>@<alias>`, `mlflow-artifacts:/…`.
 * @throws RetrainError NOT_FOUND, CONFIG_INVALID
 */
export async function resolveSource(
  source: string,
  via: { transport: MlflowTransport; runs: Runs; registry: Registry },
  signal?: AbortSignal,
): Promise<string> {
  const run = /^runs:\/+([^/]+)\/?(.*)$/.exec(source);
  if (run !== null) return below((await via.runs.get(run[1] ?? '', signal)).artifactUri, run[2] ?? '');
  const logged = /^models:\/+(m-[0-9a-f]{32})$/.exec(source);
  if (logged !== null) {
    const path = `logged-models/${logged[1] ?? ''}`;
    return (await via.transport.get(path, {}, LoggedModel, { signal })).model.info.artifact_uri;
  }
  const registered = /^models:\/+([^/@]+)(?:@([^/]+)|\/(\d+))$/.exec(source);
  if (registered !== null) {
    const [, name = '', alias, version = ''] = registered;
    const found =
      alias === undefined
        ? await via.registry.getVersion(name, version, signal)
        : await via.registry.findByAlias(name, alias, signal);
    if (found === null) {
      throw new RetrainError(
        'NOT_FOUND',
        `${source}: there is no such alias; list the versions with \`retrain history\``,
      );
    }
    // A version’s own source is never another version, so this ends.
    return resolveSource(found.source, via, signal);
  }
  proxyPath(source);
  return source;
}

/** Refuses what would leave the folder. */
function clean(path: string): string {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) {
    throw new RetrainError(
      'USAGE',
      `${path}: an artifact path must not hold "..", expected a path below its root`,
    );
  }
  return parts.join('/');
}
