import { z } from 'zod';
import { RetrainError } from '../../contracts/errors';
import { below, proxyPath } from './artifact-path';
import type { Registry } from './registry';
import type { Runs } from './runs';
import type { MlflowTransport } from './transport';

const LoggedModel = z.looseObject({
  model: z.looseObject({ info: z.looseObject({ artifact_uri: z.string() }) }),
});

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
