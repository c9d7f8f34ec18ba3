import { createHash } from 'node:crypto';
import { mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import { type ContainerExecutor } from '../../integrations/docker/container-executor';
import { type ContainerOwner } from '../../integrations/docker/stage-container';
import { removeTreeLater } from '../../integrations/files/remove-tree';
import { makeStateFolder } from '../../integrations/files/state-folder';
import { type SourceContainers, type SourceRun } from '../../pipeline/collect/source-containers';
import { type StageExecution } from '../../pipeline/run-stage';
import { type ClientConfig } from '../config';
import { screen } from '../terminal/screen';

/**
 * Runs the containers of sources for the command line, by the rules of a worker: RETRAIN_DOCKER_* says what they may ask for. The engine is
 * looked for when the first one is to run.
 *
 * A killed command leaves its container at work. The next one finds it by its name if it asks the same of the same day; whatever else was left of that
 * source it removes: one process at a time collects from a source, so nobody waits for it.
 */
export function sourceContainers(
  { project, state, env }: Pick<ClientConfig, 'project' | 'state' | 'env'>,
  onLine: (line: string) => void = (line) => screen.err(line),
): SourceContainers {
  const scratchDir = path.join(state, 'collect');
  const scope = `retrain-collect-${createHash('sha256').update(`${project}\0${scratchDir}`).digest('hex').slice(0, 16)}`;
  let connecting: Promise<ContainerExecutor> | undefined;
  const connected = (): Promise<ContainerExecutor> => (connecting ??= connect({ scratchDir, scope, env }));
  return {
    env,
    async digestOf(image, who, options) {
      const [{ dockerSettings }, { requireAllowed }, { digestOfImage }] = await Promise.all([
        import('../../integrations/docker/settings.js'),
        import('../../integrations/docker/policy.js'),
        import('../../integrations/docker/digest-of-image.js'),
      ]);
      requireAllowed(who, options, dockerSettings(env));
      return digestOfImage(image, env);
    },
    async place(run) {
      makeStateFolder(state);
      await mkdir(scratchDir, { recursive: true });
      const owner = ownerOf(scope, run);
      const dir = path.join(scratchDir, `${run.source}@${owner.activityId}`);
      return execution(
        run,
        owner,
        dir,
        async () => {
          const executor = await connected();
          await sweep({ scope, env, scratchDir }, owner, dir);
          return executor;
        },
        onLine,
      );
    },
  };
}

/** The same for each process that asks the same. */
const ownerOf = (scope: string, { source, day, key }: SourceRun): ContainerOwner => ({
  workflowId: scope,
  workflowRunId: `${scope.slice(-16)}-${source}`,
  activityId: `${day}-${key.slice(0, 16)}`,
  attempt: 1,
});

interface Here {
  scratchDir: string;
  scope: string;
  env: ClientConfig['env'];
}

async function connect({ scratchDir, scope, env }: Here): Promise<ContainerExecutor> {
  const [{ dockerSettings }, { createEngine }, { connectExecutor }] = await Promise.all([
    import('../../integrations/docker/settings.js'),
    import('../../integrations/docker/engine.js'),
    import('../../integrations/docker/connect-executor.js'),
  ]);
  const settings = dockerSettings(env);
  return connectExecutor(createEngine(settings), { settings, scratchDir, scope, env });
}

function execution(
  { who, options, digest, variables }: SourceRun,
  owner: ContainerOwner,
  dir: string,
  ready: () => Promise<ContainerExecutor>,
  onLog: (line: string) => void,
): StageExecution {
  return {
    dir,
    async run(prepare, { signal, onProgress }) {
      const executor = await ready();
      const asked = { stage: who, dir, options, digest, owner, variables, prepare, signal };
      return (await executor.run({ ...asked, isCancelled: () => true, onProgress, onLog })).durationMs;
    },
    // An engine that is away may have the container still.
    goesOn: (error) => (error as { code?: unknown }).code === 'DOCKER_UNREACHABLE',
  };
}

/** Removes what killed commands left of this source, but for what is asked now. */
async function sweep({ scope, env, scratchDir }: Here, own: ContainerOwner, dir: string): Promise<void> {
  const [{ dockerSettings }, { createEngine }, { sweepOrphans }] = await Promise.all([
    import('../../integrations/docker/settings.js'),
    import('../../integrations/docker/engine.js'),
    import('../../integrations/docker/orphans.js'),
  ]);
  const isOther = (owner: ContainerOwner): boolean =>
    owner.workflowRunId !== own.workflowRunId || owner.activityId === own.activityId;
  await sweepOrphans(createEngine(dockerSettings(env)), scope, scratchDir, (owner) =>
    Promise.resolve(isOther(owner)),
  );
  const [source = ''] = path.basename(dir).split('@');
  for (const name of await readdir(scratchDir)) {
    if (name.startsWith(`${source}@`) && name !== path.basename(dir))
      await removeTreeLater(path.join(scratchDir, name));
  }
}
