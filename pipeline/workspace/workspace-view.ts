import { type PublishInput } from '../../contracts/activities';
import { RetrainError } from '../../contracts/errors';
import { storageTrouble } from '../../integrations/files/storage-trouble';
import { type ContentStore } from '../../integrations/dvc/content-store';
import { keepPublication } from './kept-publication';
import { publishRun, type Publication } from './publish-run';
import { eachStage } from '../stage';
import { type StageCode } from '../stage-code';

/** How long a run waits for `dvc`, or another run, to leave the workspace alone. */
const PATIENCE_MS = 60_000;

interface Waiting {
  input: PublishInput;
  options: { signal?: AbortSignal; onWait?: (holder: string) => void };
  done: (unpublished: string | null) => void;
}

/**
 * What the project's folder shows: the last run that ended. Runs that end together take turns; one that a later run
 * overtakes while it waits is not shown at all, as its files would be replaced at once.
 *
 * A workspace that cannot be written to (it is read-only in a container, or `dvc` is at work in it for long) fails no run: its
 * model is in the registry.
 */
export class WorkspaceView {
  private waiting: Waiting | undefined;
  private busy = false;

  constructor(
    private readonly project: string,
    private readonly store: ContentStore,
    private readonly code: StageCode,
    private readonly onTrouble: (error: unknown) => void,
  ) {}

  /** Why the workspace does not show the run; null when it does, or did until a later one came. */
  show(input: PublishInput, options: Waiting['options'] = {}): Promise<string | null> {
    return new Promise((done) => {
      this.waiting?.done(null);
      this.waiting = { input, options, done };
      if (!this.busy) void this.work();
    });
  }

  private async work(): Promise<void> {
    this.busy = true;
    for (let next = this.next(); next !== undefined; next = this.next()) {
      next.done(await this.publish(next));
    }
    this.busy = false;
  }

  private next(): Waiting | undefined {
    const next = this.waiting;
    this.waiting = undefined;
    return next;
  }

  private async publish({ input, options }: Waiting): Promise<string | null> {
    const publication = publicationOf(input, this.code);
    try {
      await keepPublication(this.store, publication.spec.pipelineKey, publication);
      await publishRun(this.project, this.store, publication, {
        ...options,
        timeoutMs: PATIENCE_MS,
      });
      return null;
    } catch (error) {
      const trouble = storageTrouble(error, { folder: this.project }) ?? error;
      this.onTrouble(trouble);
      return trouble instanceof RetrainError ? trouble.message : String(trouble);
    }
  }
}

function publicationOf({ spec, stages, metadata }: PublishInput, code: StageCode): Publication {
  return {
    spec,
    code,
    metadata,
    stages: eachStage((stage) => {
      const { artifacts = {}, metrics = {} } = stages[stage] ?? {};
      return { outputs: Object.values(artifacts), metrics };
    }),
  };
}
