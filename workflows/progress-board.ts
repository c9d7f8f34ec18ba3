import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import { defineSearchAttributeKey } from '@temporalio/common';
import { dataHashOf } from '../contracts/lineage';
import { SEARCH_ATTRIBUTE, STAGES, type StageName } from '../contracts/names';
import { markdownWords } from '../contracts/plain-words';
import { type PipelineProgress, type StageView } from '../contracts/progress';
import { type RunSpec } from '../contracts/run';

const keyword = (name: string) => defineSearchAttributeKey(name, 'KEYWORD');
const stageKey = keyword(SEARCH_ATTRIBUTE.stage);
const promotedKey = defineSearchAttributeKey(SEARCH_ATTRIBUTE.promoted, 'BOOL');

/** What a run shows of itself while it goes: the query `progress`, the current details, the search attributes. */
export class ProgressBoard {
  readonly view: PipelineProgress = {
    state: 'resolving',
    stages: STAGES.map((stage): StageView => ({ stage, state: 'waiting' })),
  };

  private headline = 'Reading params.yaml and hashing the data.';

  about(spec: RunSpec): void {
    this.view.model = spec.params.model;
    this.view.pipelineKey = spec.pipelineKey;
    upsertSearchAttributes([
      { key: keyword(SEARCH_ATTRIBUTE.model), value: spec.params.model },
      { key: keyword(SEARCH_ATTRIBUTE.pipelineKey), value: spec.pipelineKey },
      { key: keyword(SEARCH_ATTRIBUTE.dataHash), value: dataHashOf(spec) },
      { key: keyword(SEARCH_ATTRIBUTE.gitCommit), value: spec.git.commit || 'none' },
    ]);
    this.headline = `**${markdownWords(spec.params.model)}** on ${markdownWords(spec.data.path)} (data ${dataHashOf(spec).slice(0, 12)}, params ${spec.paramsHash.slice(0, 12)}, code ${spec.codeHash.slice(0, 12)})`;
    this.show();
  }

  handedOver(canonicalId: string): void {
    this.view.state = 'handed_over';
    this.view.handedOverTo = canonicalId;
    this.headline += `\n\nThe same data, params and code have one training: following ${markdownWords(canonicalId)}.`;
    this.show();
  }

  opened(run: { mlflowRunId: string; mlflowExperimentId: string }): void {
    this.view.state = 'running';
    this.view.mlflowRunId = run.mlflowRunId;
    this.view.mlflowExperimentId = run.mlflowExperimentId;
    this.headline += `\n\nMLflow run \`${run.mlflowRunId}\``;
    this.show();
  }

  /** Runs one stage and shows its start and its end. `note` makes a few words of the result. */
  async stage<T>(stage: StageName, work: () => Promise<T>, note: (result: T) => string): Promise<T> {
    this.set(stage, { state: 'running', startedAt: Date.now() });
    upsertSearchAttributes([{ key: stageKey, value: stage }]);
    try {
      const result = await work();
      this.set(stage, { state: 'done', endedAt: Date.now(), note: note(result) });
      return result;
    } catch (error) {
      this.set(stage, { state: 'failed', endedAt: Date.now() });
      throw error;
    }
  }

  /** What there is to say about a running stage; undefined takes it back. */
  remark(stage: StageName, note: string | undefined): void {
    this.set(stage, { note: note ?? '' });
  }

  /** A stage that was begun, and turned out not to be needed. */
  takeBack(stage: StageName): void {
    const view = this.view.stages.find((candidate) => candidate.stage === stage);
    if (view !== undefined) {
      delete view.startedAt;
      delete view.endedAt;
    }
    this.set(stage, { state: 'waiting' });
  }

  end(state: PipelineProgress['state'], headline: string): void {
    this.view.state = state;
    // Paragraphs of ours, with words of others in them.
    this.headline += `\n\n${headline.split('\n\n').map(markdownWords).join('\n\n')}`;
    upsertSearchAttributes([
      { key: stageKey, value: state },
      { key: promotedKey, value: state === 'promoted' },
    ]);
    this.show();
  }

  /** Wall time of the finished stages, in ms. */
  durations(): Record<string, number> {
    return Object.fromEntries(
      this.view.stages.flatMap(({ stage, startedAt, endedAt }) =>
        startedAt !== undefined && endedAt !== undefined ? [[stage, endedAt - startedAt]] : [],
      ),
    );
  }

  private set(stage: StageName, change: Partial<StageView>): void {
    const view = this.view.stages.find((candidate) => candidate.stage === stage);
    if (view !== undefined) Object.assign(view, change);
    this.show();
  }

  private show(): void {
    const rows = this.view.stages.map(
      ({ stage, state, note, startedAt, endedAt }) =>
        `| ${stage} | ${state} | ${startedAt !== undefined && endedAt !== undefined ? `${((endedAt - startedAt) / 1000).toFixed(2)} s` : ''} | ${markdownWords(note ?? '')} |`,
    );
    setCurrentDetails(
      `${this.headline}\n\n| stage | state | time | |\n|---|---|---|---|\n${rows.join('\n')}\n`,
    );
  }
}
