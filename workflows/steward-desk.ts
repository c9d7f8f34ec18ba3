import {
  ApplicationFailure,
  condition,
  isCancellation,
  log,
  proxyActivities,
  workflowInfo,
} from '@temporalio/workflow';
import { type PromoteOutput } from '../contracts/activities';
import { milliseconds } from '../contracts/duration';
import { STEWARD_BUSY } from '../contracts/names';
import {
  type DecideInput,
  type HandAnswer,
  type HandInput,
  type LedgerEntry,
  type LedgerPage,
  type LedgerPosition,
  type MoveByHandInput,
  type PendingApproval,
  type PromoteByHandInput,
  type RollbackInput,
  type Settled,
  type Standing,
  type StewardActivities,
  type StewardState,
} from '../contracts/steward';
import { settling } from './activity-options';
import { failureReason } from './failure-reason';
import { StewardBook } from './steward-book';
import { tellExpired, tellMovedByHand, tellOutsideMove } from './steward-notices';
import { keepMirrored, type Rounds, watchAlias } from './steward-rounds';
import { Turns } from './steward-turns';

/** Longest wait of the desk without looking at its deadlines, in ms. */
const LONGEST_WAIT_MS = 24 * 3_600_000;

/**
 * The server lets ten updates of a workflow wait at once. So many candidates may, which leaves room for the one whose turn is
 * kept, and for people; others ask again.
 */
const LONGEST_LINE = 5;

const activities = (summary: string): StewardActivities =>
  proxyActivities<StewardActivities>({ ...settling, summary });

/** What a steward does: every move of production goes through `settle`, one at a time. */
export class StewardDesk {
  private readonly book: StewardBook;
  private readonly turns: Turns;
  private readonly isNew: boolean;
  private readonly rounds: Rounds = { mirroring: false, closing: false };

  constructor(
    private readonly model: string,
    state: StewardState | undefined,
  ) {
    this.book = new StewardBook(model, state);
    this.turns = new Turns(state?.turn ?? null);
    this.isNew = state === undefined;
  }

  standing(): Standing {
    return this.book.standing(this.turns.waiting);
  }

  page(from: number): LedgerPage {
    return this.book.page(from);
  }

  /** A first steward, or one after a steward that was lost, begins with the ledger that MLflow has. */
  async open(): Promise<void> {
    if (this.isNew) {
      const { entries, total } = await activities('ledger in MLflow').recallLedger({ model: this.model });
      this.book.recall(entries, total);
    }
    this.turns.open();
    keepMirrored(this.book, this.rounds);
    watchAlias(this.book, this.rounds, () => this.own(() => this.observe()));
  }

  /** Attends to deadlines until the history is long enough to begin a new one, and nothing is half done. */
  async untilFull(): Promise<void> {
    const isFull = (): boolean => workflowInfo().continueAsNewSuggested;
    while (!isFull()) {
      const next = Math.min(this.deadline(), Date.now() + LONGEST_WAIT_MS);
      await condition(() => isFull() || this.deadline() < next, Math.max(1, next - Date.now()));
      this.turns.expire(Date.now());
      await this.expire();
    }
    // While MLflow is away nothing else goes on either: the history does not grow meanwhile.
    await condition(() => !this.rounds.mirroring);
    this.rounds.closing = true;
  }

  close(): StewardState {
    return { ...this.book.state, turn: this.turns.kept };
  }

  async decide(ask: DecideInput): Promise<PromoteOutput> {
    const { state } = this.book;
    const { modelVersion: version } = ask;
    return this.turn(version, async () => {
      const before = state.decided.find(({ id }) => id === ask.id);
      if (before !== undefined) return before.output;
      this.takePolicy(ask);
      const { output, evidence } = await this.settle((position) =>
        activities(`version ${version}`).settleCandidate({ ask, position, barred: this.barred(ask) }),
      );
      if (output.stale) this.turns.keepFor(version, Date.now());
      else this.turns.giveBack(version);
      if (!output.stale && output.outcome === 'awaiting_approval') this.await(ask, evidence, output);
      this.book.remember(state.decided, { id: ask.id, output });
      return output;
    });
  }

  /** @throws ApplicationFailure STEWARD_BUSY when the line is long and it is not this candidate's turn */
  checkLine({ modelVersion }: DecideInput): void {
    if (this.turns.waiting < LONGEST_LINE || this.turns.kept?.version === modelVersion) return;
    throw ApplicationFailure.nonRetryable(
      `${this.turns.waiting} candidates wait already; ask again`,
      STEWARD_BUSY,
    );
  }

  withdraw(version: string): void {
    this.turns.giveBack(version);
  }

  async approve({ version, by, reason }: HandInput): Promise<HandAnswer> {
    return this.own(async () => {
      // Others may have answered while this one waited for its turn.
      const pending = this.checkAnswer({ version, by, reason });
      const { champion, evidence, legacyStages } = pending;
      const move = { event: 'approved', version, by, reason, legacyStages, evidence, champion } as const;
      const entry = await this.move({ ...move, force: false });
      this.book.closePending(version, `was approved by ${by}`);
      await tellMovedByHand(this.book, entry, pending);
      return { entry };
    });
  }

  async reject({ version, by, reason }: HandInput): Promise<HandAnswer> {
    return this.own(async () => {
      const pending = this.checkAnswer({ version, by, reason });
      const entry = await this.closeApproval(pending, 'rejected', by, `rejected by ${by}: ${reason}`);
      return { entry };
    });
  }

  async promote({ version, by, reason, force = false }: PromoteByHandInput): Promise<HandAnswer> {
    return this.own(async () => {
      const { policy } = this.book.state;
      if (policy?.approval === 'required' && policy.approvers !== null && !policy.approvers.includes(by)) {
        throw notAnApprover(by, policy.approvers, `promote a version of ${this.model} by hand`);
      }
      await this.settle((position) => activities('production').observeProduction({ position }));
      if (version === this.book.production) throw refused(`version ${version} is in production already`);
      const entry = await this.move({
        ...{ event: 'promoted_by_hand', version, by, reason, force },
        ...{ legacyStages: this.legacyStages, evidence: null },
      });
      if (this.book.pendingOf(version) !== undefined) {
        this.book.closePending(version, `was promoted by hand by ${by}`);
      }
      await tellMovedByHand(this.book, entry);
      return { entry };
    });
  }

  async rollBack({ to, by, reason }: RollbackInput): Promise<HandAnswer> {
    return this.own(async () => {
      await this.settle((position) => activities('production').observeProduction({ position }));
      const version = to ?? this.book.formerProduction();
      if (version === undefined) {
        throw refused(
          `no version of ${this.model} was production before and was not rolled back; name one with --to`,
        );
      }
      if (version === this.book.production) throw refused(`version ${version} is in production already`);
      if (!this.book.wasProduction(version)) {
        throw refused(
          `version ${version} of ${this.model} never was production; to put it there: retrain promote ${this.model}@${version} --reason …`,
        );
      }
      const entry = await this.move({
        ...{ event: 'rolled_back', version, by, reason, force: true },
        ...{ legacyStages: this.legacyStages, evidence: null },
      });
      await tellMovedByHand(this.book, entry);
      return { entry };
    });
  }

  /**
   * Who may answer for a candidate, and whether it waits for an answer at all. Cheap: also the updates' validators call it.
   *
   * @throws ApplicationFailure NOT_PENDING, NOT_AN_APPROVER, APPROVAL_STALE
   */
  checkAnswer({ version, by }: HandInput): PendingApproval {
    const pending = this.book.pendingOf(version);
    if (pending === undefined) {
      const before = [...this.book.state.answered].reverse().find((one) => one.version === version);
      throw ApplicationFailure.nonRetryable(
        before === undefined
          ? `version ${version} of ${this.model} does not wait for approval; what waits: retrain history ${this.model}`
          : `version ${version} of ${this.model} ${before.answer}; there is nothing left to answer`,
        'NOT_PENDING',
      );
    }
    const { approvers, fourEyes, requestedBy } = pending;
    if (approvers !== null && !approvers.includes(by)) {
      throw notAnApprover(by, approvers, `answer for version ${version} of ${this.model}`);
    }
    if (fourEyes && by === requestedBy) {
      throw ApplicationFailure.nonRetryable(
        `${by} started the run of version ${version}, and promote.four_eyes asks for somebody else's approval`,
        'NOT_AN_APPROVER',
      );
    }
    return pending;
  }

  private get legacyStages(): boolean {
    return this.book.state.policy?.legacyStages ?? true;
  }

  /** Epoch ms of the next thing that runs out; Infinity: nothing does. */
  private deadline(): number {
    const { pending } = this.book.state;
    return Math.min(this.turns.kept?.until ?? Infinity, ...pending.map(({ expiresAt }) => expiresAt));
  }

  private takePolicy({ spec: { params } }: DecideInput): void {
    const { approval, approvers, legacy_stages, outside_moves } = params.promote;
    this.book.state.policy = {
      approval,
      approvers: approvers ?? null,
      legacyStages: legacy_stages,
      outsideMoves: outside_moves,
      notifyOn: params.notify.on,
    };
  }

  /** People took this version, or its twin, out of production: the pipeline does not put it back unless it is forced. */
  private barred({ spec, modelVersion }: DecideInput): string | null {
    if (spec.forceId !== undefined) return null;
    const found = this.book.state.rolledBack.find(
      ({ version, pipelineKey }) => version === modelVersion || pipelineKey === spec.pipelineKey,
    );
    if (found === undefined) return null;
    const which =
      found.version === modelVersion ? 'it' : `version ${found.version} of the same data, params and code`;
    return `${which} was rolled back by ${found.by} (${found.reason}): promote it by hand, or start its run with --force`;
  }

  private await(
    ask: DecideInput,
    evidence: string | null,
    { reason, evidence: pack }: { reason: string; evidence?: string },
  ): void {
    const { spec, modelVersion, championVersion, workflowId, mlflowRunId, mlflowExperimentId } = ask;
    const { approvers, four_eyes, legacy_stages, approval_expires } = spec.params.promote;
    const { state } = this.book;
    state.pending = state.pending.filter(({ version }) => version !== modelVersion);
    state.pending.push({
      version: modelVersion,
      champion: championVersion,
      workflowId,
      requestedBy: spec.user ?? null,
      approvers: approvers ?? null,
      fourEyes: four_eyes,
      legacyStages: legacy_stages,
      expiresAt: Date.now() + milliseconds(approval_expires),
      evidence,
      ...(pack === undefined ? {} : { evidencePack: pack }),
      pipelineKey: spec.pipelineKey,
      reason,
      mlflowRunId,
      mlflowExperimentId,
    });
  }

  private async expire(): Promise<void> {
    const due = this.book.state.pending.filter(({ expiresAt }) => expiresAt <= Date.now());
    for (const pending of due) {
      await this.own(async () => {
        if (this.book.pendingOf(pending.version) === undefined) return;
        const entry = await this.closeApproval(pending, 'expired', 'steward', 'nobody approved it in time');
        await tellExpired(this.book, entry, pending);
      });
    }
  }

  private async closeApproval(
    pending: PendingApproval,
    event: 'rejected' | 'expired',
    by: string,
    reason: string,
  ): Promise<LedgerEntry> {
    const entry = await this.settle((position) =>
      activities(`version ${pending.version} ${event}`).closeApproval({
        position,
        event,
        pending,
        by,
        reason,
      }),
    );
    this.book.closePending(
      pending.version,
      event === 'expired' ? 'was not approved in time' : `was ${reason}`,
    );
    return entry;
  }

  private move(input: Omit<MoveByHandInput, 'position'>): Promise<LedgerEntry> {
    const { event, version } = input;
    return this.settle((position) => activities(`${event} ${version}`).moveByHand({ ...input, position }));
  }

  /** Looks at production, and enters it if it was moved outside. */
  private async observe(): Promise<void> {
    await this.settle((position) => activities('production').observeProduction({ position }));
  }

  /** Runs an activity that may move production, and enters what it did; after a move outside, once more. */
  private async settle<T>(work: (position: LedgerPosition) => Promise<Settled<T>>): Promise<T> {
    for (;;) {
      const { entries, production, answer } = await work(this.book.position());
      this.book.enter(entries, production);
      const outside = entries.find(({ event }) => event === 'moved_outside');
      if (outside !== undefined) await this.afterOutsideMove(outside);
      if (answer !== undefined) return answer;
    }
  }

  /** Tells people, and puts the alias back if that is the policy. */
  private async afterOutsideMove(entry: LedgerEntry): Promise<void> {
    const restores = this.book.state.policy?.outsideMoves === 'restore' && entry.from !== null;
    await tellOutsideMove(this.book, entry, restores);
    if (!restores || entry.from === null) return;
    try {
      await this.move({
        ...{ event: 'put_back', version: entry.from, by: 'steward', force: true },
        reason: `promote.outside_moves is restore, and it was moved to version ${entry.to ?? 'none'} in MLflow itself`,
        ...{ legacyStages: this.legacyStages, evidence: null },
      });
    } catch (error) {
      if (isCancellation(error)) throw error;
      // Such as a version that was deleted: what production is now must do.
      log.error('production not put back', { version: entry.from, reason: failureReason(error) });
    }
  }

  private turn<T>(version: string | null, work: () => Promise<T>): Promise<T> {
    return this.turns.take(
      version,
      work,
      () => this.rounds.closing,
      () => ApplicationFailure.nonRetryable('the steward is continuing as new; ask again', STEWARD_BUSY),
    );
  }

  /** Work of people, or of the steward itself: before the candidates that wait. */
  private async own<T>(work: () => Promise<T>): Promise<T> {
    return this.turn(null, work);
  }
}

function refused(message: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, 'PROMOTION_REFUSED');
}

function notAnApprover(by: string, approvers: readonly string[], what: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(
    `${by} may not ${what}: promote.approvers lists ${approvers.slice(0, 5).join(', ')}${approvers.length > 5 ? ` and ${approvers.length - 5} more` : ''}`,
    'NOT_AN_APPROVER',
  );
}
