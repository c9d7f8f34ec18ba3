import {
  allHandlersFinished,
  condition,
  continueAsNew,
  defineQuery,
  defineUpdate,
  log,
  patched,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { defineSearchAttributeKey } from '@temporalio/common';
import {
  type AlarmActivities,
  type AlarmAnswer,
  type AlarmDeskInput,
  type AlarmFinding,
  type AlarmNotice,
  type AlarmState,
  type AlarmTraining,
} from '../contracts/alarm';
import { QUERY, SEARCH_ATTRIBUTE, UPDATE } from '../contracts/names';
import { markdownWords } from '../contracts/plain-words';
import { settling, startingOnAlarm } from './activity-options';
import { holdBack, nextRelease, NO_ALARMS, release, settle } from './alarm-book';
import { raisedNotice, resolvedNotice } from './alarm-notices';
import { checkDeskInput, checkFinding } from './alarm-checks';
import { failureReason } from './failure-reason';
import { handToNotifier } from './notices';

const alarmsQuery = defineQuery<AlarmState>(QUERY.alarms);
const settleUpdate = defineUpdate<AlarmAnswer, [AlarmFinding]>(UPDATE.settle);

const modelKey = defineSearchAttributeKey(SEARCH_ATTRIBUTE.model, 'KEYWORD');
const alarmKey = defineSearchAttributeKey(SEARCH_ATTRIBUTE.alarm, 'KEYWORD');

const { readAlarms, showAlarms } = proxyActivities<AlarmActivities>({
  ...settling,
  summary: 'alarms in the tags of the version',
});
const { trainOnAlarm } = proxyActivities<AlarmActivities>({
  ...startingOnAlarm,
  summary: 'start a training of the data as they are',
});

/** Looked at again at least so often, though nobody asks: a wake-up may be lost to nothing, and a clock may be set. */
const LONGEST_SLEEP_MS = 24 * 3_600_000;

/**
 * The one that knows which alarms of a model are open. Checks tell it what they found, one at a time, however many schedules there are;
 * it tells people once of each cause that is new, and once of each that has ended. It runs for as long as the model is watched, and
 * continues as new with all that it knows; one that begins reads it from the tags of the model's versions.
 */
export async function alarmDesk(input: AlarmDeskInput): Promise<never> {
  const { model, state } = checkDeskInput(input);
  const desk = new AlarmDesk(model, state);
  setHandler(alarmsQuery, () => desk.state, { description: 'Which alarms are open, and what is held back.' });
  setHandler(settleUpdate, (finding) => desk.settle(finding), {
    description: 'Asked by checks: what they found.',
    validator: (finding: AlarmFinding) => checkFinding(model, finding),
  });
  await desk.open();
  while (!workflowInfo().continueAsNewSuggested) await desk.rest();
  await condition(allHandlersFinished);
  return continueAsNew<typeof alarmDesk>({ model, state: desk.state });
}

class AlarmDesk {
  state: AlarmState;
  private busy = true;
  private settled = 0;

  constructor(
    private readonly model: string,
    private readonly given: AlarmState | undefined,
  ) {
    this.state = given ?? NO_ALARMS;
  }

  async open(): Promise<void> {
    if (this.given === undefined) this.state = (await readAlarms({ model: this.model })) ?? NO_ALARMS;
    upsertSearchAttributes([{ key: modelKey, value: this.model }]);
    this.show(null);
    this.busy = false;
  }

  /** One finding after the other. */
  async settle(finding: AlarmFinding): Promise<AlarmAnswer> {
    await condition(() => !this.busy);
    this.busy = true;
    try {
      return await this.take(finding);
    } finally {
      this.busy = false;
      this.settled += 1;
    }
  }

  /** Until a notice is due, or somebody has asked. */
  async rest(): Promise<void> {
    const { settled } = this;
    const next = nextRelease(this.state);
    const wait = Math.min(LONGEST_SLEEP_MS, next === null ? LONGEST_SLEEP_MS : next - Date.now());
    if (wait > 0) {
      await condition(() => this.settled !== settled, wait);
      return;
    }
    await condition(() => !this.busy);
    this.busy = true;
    try {
      await this.letGo(Date.now(), 'machine');
      await this.write(this.state.version);
    } finally {
      this.busy = false;
    }
  }

  private async take(finding: AlarmFinding): Promise<AlarmAnswer> {
    const before = this.state.version;
    const settled = settle(this.state, finding, patched('alarms-train-at-a-pace'));
    const training = settled.train ? await this.train(finding, settled.state) : null;
    this.state = settled.state;
    const told: AlarmNotice[] = [
      ...(settled.raised.length === 0 ? [] : [raisedNotice(finding, settled, training)]),
      ...(settled.resolved.length === 0 ? [] : [resolvedNotice(finding, settled)]),
    ];
    // What was held back comes first; people are told before the tags say that they were.
    if (finding.policy.clock === 'given') await this.letGo(Date.parse(finding.at), 'given');
    if (finding.policy.notify) for (const notice of told) await this.tell(notice, finding);
    // One that changed nothing is not the last check.
    this.show(settled.state.checks.includes(finding.checkId) ? finding : null);
    await this.write(before);
    return {
      raised: settled.raised.map(({ key }) => key),
      resolved: settled.resolved.map(({ cause }) => cause.key),
      open: this.state.open.map(({ cause }) => cause.title),
      heldUntil: this.state.held.at(-1)?.until ?? null,
      training,
    };
  }

  private async train(finding: AlarmFinding, { open }: AlarmState): Promise<AlarmTraining> {
    const { checkId, model, modelVersion, report, policy, project } = finding;
    try {
      return await trainOnAlarm({
        finding: { checkId, model, modelVersion, report },
        causes: open.slice(0, 5).map(({ cause }) => cause.title),
        params: policy.params,
        ...(project === undefined ? {} : { project }),
      });
    } catch (error) {
      return { how: 'failed', workflowId: null, reason: failureReason(error) };
    }
  }

  private async tell(notice: AlarmNotice, { policy }: AlarmFinding): Promise<void> {
    const { state, now } = holdBack(this.state, notice, policy);
    this.state = state;
    if (now !== null) await this.hand(now);
  }

  private async letGo(now: number, clock: 'machine' | 'given'): Promise<void> {
    const { state, due } = release(this.state, now, clock);
    this.state = state;
    for (const notice of due) await this.hand(notice);
  }

  /** What cannot be handed over, as it was handed over before, must not keep the desk from its work. */
  private async hand({ report, mlflowRunId, mlflowExperimentId, ...notice }: AlarmNotice): Promise<void> {
    const { workflowId, runId } = workflowInfo();
    try {
      await handToNotifier({
        ...notice,
        kind: 'drift',
        model: this.model,
        pipelineKey: '',
        workflowId,
        workflowRunId: runId,
        ...(mlflowRunId === null ? {} : { mlflowRunId }),
        ...(mlflowExperimentId === null ? {} : { mlflowExperimentId }),
        links: report === null ? {} : { report },
      });
    } catch (error) {
      log.error('notice not handed over', { kind: 'drift', reason: failureReason(error) });
    }
  }

  private async write(before: string | null): Promise<void> {
    try {
      await showAlarms({ model: this.model, before, state: this.state });
    } catch (error) {
      log.error('alarms not written to the version', { model: this.model, reason: failureReason(error) });
    }
  }

  private show(finding: AlarmFinding | null): void {
    const { open, held, version } = this.state;
    upsertSearchAttributes([{ key: alarmKey, value: open[0]?.cause.key.slice(0, 200) ?? 'none' }]);
    const rows = open.map(
      ({ cause, since }) => `| ${markdownWords(cause.title)} | ${since} | ${markdownWords(cause.detail)} |`,
    );
    const headline = `**${markdownWords(this.model)}**${version === null ? '' : ` version ${markdownWords(version)}`}: ${open.length === 0 ? 'no alarm' : `${open.length} open`}`;
    setCurrentDetails(
      [
        headline,
        ...(finding === null ? [] : [`Last check: ${finding.at}`]),
        ...(held.length === 0 ? [] : [`${held.length} notices are held back until ${held[0]?.until ?? ''}`]),
        ...(rows.length === 0 ? [] : [`| what | since | |\n|---|---|---|\n${rows.join('\n')}`]),
      ].join('\n\n'),
    );
  }
}
