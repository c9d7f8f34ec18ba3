import {
  type ActivityExecuteInput,
  type ActivityInboundCallsInterceptor,
  type Next,
} from '@temporalio/worker';
import { RetrainError } from '../contracts/errors';
import { areDifferent, ProjectIdentity } from '../contracts/project-identity';

/**
 * Keeps a worker from what is not its project's: two projects may poll one queue after all, or a client starts runs on the queue
 * of another project. Looks at the project that an activity's input names, or its spec does; one that names none is
 * taken for ours, as runs of older clients are. A steward's own work is its model's, whoever's candidate it is.
 */
export class ProjectGuard implements ActivityInboundCallsInterceptor {
  constructor(
    private readonly own: ProjectIdentity,
    private readonly taskQueue: string,
  ) {}

  async execute(
    input: ActivityExecuteInput,
    next: Next<ActivityInboundCallsInterceptor, 'execute'>,
  ): Promise<unknown> {
    this.check(input.args[0]);
    return next(input);
  }

  /** @throws RetrainError WRONG_PROJECT */
  private check(input: unknown): void {
    const project = projectIn(input);
    if (project === null || !areDifferent(project, this.own)) return;
    throw new RetrainError(
      'WRONG_PROJECT',
      `the run is of project ${project.id}, but task queue ${this.taskQueue} is worked on by project ${this.own.id}; ` +
        `set RETRAIN_TASK_QUEUE, for workers and commands of ${project.id}, to a queue of their own (.env), then start again`,
    );
  }
}

function projectIn(input: unknown): ProjectIdentity | null {
  if (!isMapping(input)) return null;
  const { spec } = input;
  const named = isMapping(spec) ? spec['project'] : input['project'];
  return ProjectIdentity.safeParse(named).data ?? null;
}

const isMapping = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;
