import { type PipelineActivities } from '../contracts/activities';
import { type ProjectIdentity } from '../contracts/project-identity';
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
export function createProjectActivities({
  project,
  identity: own,
  code,
  imageDigest,
  startSecret,
}: ProjectDeps): Pick<PipelineActivities, 'resolveRun'> {
  return {
    async resolveRun({ params = 'params.yaml', overrides = {}, forceId }) {
      return withHeartbeat(async (signal) => {
        const [identity, git] = await Promise.all([
          identifyRun(
            { project, paramsPath: params, overrides, overridesFrom: 'trigger', code, imageDigest },
            signal,
          ),
          gitState(project),
        ]);
        const spec = { ...identity, project: own, git, ...(forceId === undefined ? {} : { forceId }) };
        return withSeal(spec, startSecret);
      });
    },
  };
}
