import { type PipelineActivities, type ResolveInput } from '../contracts/activities';
import { type ProjectIdentity } from '../contracts/project-identity';
import { type RunSpec } from '../contracts/run';
import { gitState } from '../integrations/git/git-state';
import { identifyRun, type RunRequest } from '../pipeline/run/identify-run';
import { withSeal } from '../pipeline/run/start-seal';
import { withHeartbeat } from './heartbeat';

export interface ProjectDeps {
  /** The project's folder, absolute. */
  project: string;
  identity: ProjectIdentity;
  code: RunRequest['code'];
  imageDigest: RunRequest['imageDigest'];
  /** See `startSecret`. */
  startSecret: string | null;
}

/** Settles what a run is about when whoever started it did not: the Web UI, a schedule. Reads only. */
export function createProjectActivities(deps: ProjectDeps): Pick<PipelineActivities, 'resolveRun'> {
  return {
    async resolveRun(asked) {
      return withHeartbeat((signal) => resolveSpec(deps, asked, signal));
    },
  };
}

/** What a run is about, as the project's files say now; the worker vouches for it. */
export async function resolveSpec(
  { project, identity: own, code, imageDigest, startSecret }: ProjectDeps,
  {
    params = 'params.yaml',
    overrides = {},
    forceId,
    alarm,
  }: Pick<ResolveInput, 'params' | 'overrides' | 'forceId'> & Pick<RunSpec, 'alarm'>,
  signal: AbortSignal,
): Promise<RunSpec> {
  const [identity, git] = await Promise.all([
    identifyRun(
      { project, paramsPath: params, overrides, overridesFrom: 'trigger', code, imageDigest },
      signal,
    ),
    gitState(project),
  ]);
  const spec = {
    ...identity,
    ...{ project: own, git },
    ...(forceId === undefined ? {} : { forceId }),
    ...(alarm === undefined ? {} : { alarm }),
  };
  return withSeal(spec, startSecret);
}
