import { RetrainError } from '../../contracts/errors';
import { type StageResult } from '../../contracts/stage';
import { type ContentStore } from '../../integrations/dvc/content-store';
import { StageCache } from './stage-cache';
import { type ObjectStorage } from '../../integrations/files/object-storage';
import { recordedResult } from './stage-receipt';
import { type StageQuestion } from './stage-question';

export interface StageResultsOptions {
  /** The project's folder, absolute: its dvc.lock is asked, too. */
  project: string;
  /** Where results are shared with other machines; absent: nowhere. Opened when it is needed. */
  shared?: () => Promise<ObjectStorage>;
  /** The shared place failed, or a stored output is damaged; the stage runs all the same. */
  onTrouble?: (what: string, error: unknown) => void;
}

/**
 * What is known about results of stages: from earlier runs on this store, from a `dvc.lock` whose objects are in the store
 * (`dvc pull` brought both), and from the place that machines share. A place that is away costs a run its saving, nothing else.
 */
export class StageResults {
  private readonly cache: StageCache;

  constructor(
    private readonly store: ContentStore,
    private readonly options: StageResultsOptions,
  ) {
    this.cache = new StageCache(store);
  }

  /** The result, all of its outputs in the store; null when nobody knows it. */
  async find(question: StageQuestion, signal?: AbortSignal): Promise<StageResult | null> {
    const known = (await this.cache.find(question.key)) ?? (await this.recorded(question));
    if (known !== null && (await this.isWhole(known, signal))) return known;
    if (this.options.shared === undefined) return null;
    return this.withShared('looking for a shared result', async (remote) =>
      this.cache.fetch(question.key, remote, signal === undefined ? {} : { signal }),
    );
  }

  /** Hashes the outputs, which takes a fraction of making them: a damaged one is set aside and never used. */
  private async isWhole({ outputs }: StageResult, signal?: AbortSignal): Promise<boolean> {
    try {
      for (const output of outputs) await this.store.verify(output, signal);
      return true;
    } catch (error) {
      if (!(error instanceof RetrainError)) throw error;
      this.options.onTrouble?.('reusing a result', error);
      return false;
    }
  }

  /** Call it after the outputs are in the store. */
  async save({ work, inputs, key }: StageQuestion, result: StageResult, signal?: AbortSignal): Promise<void> {
    const { stage, params, code, makes, mayLeave } = work;
    await this.cache.save({ stage, params, code, inputs, outputs: [...makes, ...mayLeave] }, result);
    if (this.options.shared === undefined) return;
    await this.withShared('sharing a result', async (remote) =>
      this.cache.share(key, remote, signal === undefined ? {} : { signal }),
    );
  }

  private async recorded(question: StageQuestion): Promise<StageResult | null> {
    const found = await recordedResult(this.options.project, this.store, question);
    if (found !== null) await this.save(question, found);
    return found;
  }

  private async withShared<T>(what: string, use: (remote: ObjectStorage) => Promise<T>): Promise<T | null> {
    try {
      return await use(await this.options.shared!());
    } catch (error) {
      this.options.onTrouble?.(what, error);
      return null;
    }
  }
}
