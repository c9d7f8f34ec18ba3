import { z } from 'zod';
import { type EvaluateOutput, type PromoteInput, type PromoteOutput } from './activities';
import { type PromoteParams } from './params';
import { type ComparisonFigures, type TrainingResult } from './run';
import { type NoticeKind } from './notice';

// What a model's steward is told and tells. Workflow code takes the types only.

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** What an entry of the ledger is about. */
export const LEDGER_EVENTS = [
  /** The steward's first look: production had been set before it came. */
  'found',
  'promoted',
  'staged',
  'gate_failed',
  'awaiting_approval',
  'approved',
  'rejected',
  'expired',
  'promoted_by_hand',
  'rolled_back',
  /** Somebody moved the alias in MLflow itself. */
  'moved_outside',
  /** The steward put an alias back that was moved outside. */
  'put_back',
] as const;
export type LedgerEvent = (typeof LEDGER_EVENTS)[number];

/** One line of a model's history. Entries form a chain: each holds the hash of the one before it. */
export const LedgerEntry = z.strictObject({
  index: z.int().min(0).describe('Number of the entry, from 0.'),
  at: z.iso.datetime().describe('By the clock of the steward.'),
  event: z.enum(LEDGER_EVENTS),
  by: z.string().describe('The workflow id of a run, or a person as the client named them.'),
  version: z.string().nullable().describe('What the entry is about.'),
  from: z.string().nullable().describe('Production before; null: there was none.'),
  to: z.string().nullable().describe('Production after.'),
  reason: z.string(),
  evidence: sha256
    .nullable()
    .describe('Of the file that the decision rests on, among the artifacts of the version’s run.'),
  pipelineKey: z.string().nullable(),
  previous: sha256.describe('Hash of the entry before; 64 zeros for the first.'),
  hash: sha256.describe('SHA-256 of the canonical JSON of all other fields.'),
});
export type LedgerEntry = z.infer<typeof LedgerEntry>;

/** Where the chain stands: what the next entry is sealed with. */
export interface LedgerPosition {
  model: string;
  /** Number of the next entry. */
  index: number;
  /** Hash of the last one. */
  head: string;
  /** Production as the ledger has it; `undefined`: the steward has not looked yet. */
  production?: string | null;
  /** ISO 8601: the time of the entries that an activity makes. */
  at: string;
}

/** A candidate's ask, by the pipeline. */
export interface DecideInput extends PromoteInput {
  /** The same for every try of one ask. */
  id: string;
  workflowId: string;
  mlflowRunId: string;
  mlflowExperimentId: string;
  /**
   * What the run's own worker made of the evaluation, against the champion that it was scored against: the steward's worker may be
   * another machine, whose store does not have it. Absent: the steward's worker reads the evaluation.
   */
  decision?: CandidateDecision;
  /** SHA-256 of the evidence pack that it made of a winner which somebody has to approve. */
  evidence?: string;
}

/** What becomes of a candidate, as long as production is what it was scored against. */
export interface CandidateDecision {
  outcome: TrainingResult['outcome'];
  alias: 'production' | 'staging' | null;
  reason: string;
  gate: TrainingResult['gate'];
  comparison: ComparisonFigures | null;
}

/** What an ask of a person must hold. */
export interface HandInput {
  version: string;
  reason: string;
  /** Who asks, as the client says; Temporal's own access control says who may. */
  by: string;
}

export interface PromoteByHandInput extends HandInput {
  /** Also a version that failed its gate. */
  force?: boolean;
}

export interface RollbackInput extends Omit<HandInput, 'version'> {
  /** Default: what was production before, and was not rolled back. */
  to?: string;
}

/** What a person's ask came to. */
export interface HandAnswer {
  entry: LedgerEntry;
}

/** A candidate that won and waits for somebody to approve it. */
export interface PendingApproval {
  version: string;
  /** Production that it was compared with. */
  champion: string | null;
  workflowId: string;
  requestedBy: string | null;
  approvers: readonly string[] | null;
  fourEyes: boolean;
  legacyStages: boolean;
  /** Epoch ms. */
  expiresAt: number;
  evidence: string | null;
  /** SHA-256 of the evidence pack, where one was made: then `evidence` is it. */
  evidencePack?: string;
  pipelineKey: string;
  reason: string;
  mlflowRunId: string;
  mlflowExperimentId: string;
}

/** What the newest run said of how this model is to be kept. */
export interface StewardPolicy {
  outsideMoves: PromoteParams['outside_moves'];
  legacyStages: boolean;
  approval: PromoteParams['approval'];
  approvers: readonly string[] | null;
  notifyOn: readonly NoticeKind[];
}

/** A version that people took out of production: the pipeline does not put it, or its twin, back. */
export interface RolledBack {
  version: string;
  pipelineKey: string | null;
  by: string;
  reason: string;
}

/** All that a steward is, and what it takes along when it continues as new. */
export interface StewardState {
  /** As the ledger has it; absent: not looked yet. */
  production?: string | null;
  /** The newest entries; the older ones are in MLflow. */
  entries: LedgerEntry[];
  /** So many entries are in MLflow. */
  mirrored: number;
  pending: PendingApproval[];
  /** What became of approvals, newest last: who answers a second time is told. */
  answered: { version: string; answer: string }[];
  rolledBack: RolledBack[];
  /** Versions that were production, newest last, each once. */
  productions: string[];
  /** Asks that were answered, newest last: an ask whose answer was lost gets the same one. */
  decided: { id: string; output: PromoteOutput }[];
  /** The candidate that is being scored again, whose turn it is until then. */
  turn: Turn | null;
  policy: StewardPolicy | null;
}

export interface Turn {
  version: string;
  /** Epoch ms. */
  until: number;
  /** How often this candidate has met a production that moved. */
  times: number;
}

/** Input of the workflow `modelSteward`. */
export interface StewardInput {
  model: string;
  state?: StewardState;
}

/** Answer of the query `standing`. */
export interface Standing {
  model: string;
  production: string | null;
  entries: number;
  mirrored: number;
  head: string;
  pending: PendingApproval[];
  rolledBack: RolledBack[];
  policy: StewardPolicy | null;
  /** Asks that wait for their turn. */
  waiting: number;
}

/** Answer of the query `ledger`. */
export interface LedgerPage {
  entries: LedgerEntry[];
  /** All that there are, also the older ones that only MLflow has. */
  total: number;
}

/** What an activity that may move production came to. */
export interface Settled<T> {
  /** To be appended, in order. */
  entries: LedgerEntry[];
  /** What is production now. */
  production: string | null;
  /** Absent: production had been moved outside; only that was entered, and the ask is to be made again. */
  answer?: T;
}

export interface SettleCandidateInput {
  ask: DecideInput;
  position: LedgerPosition;
  /** Why this candidate is not to be promoted though it wins. */
  barred: string | null;
}

/** The evidence's hash where one was made. */
export interface CandidateAnswer {
  output: PromoteOutput;
  evidence: string | null;
}

export interface MoveByHandInput {
  position: LedgerPosition;
  event: 'approved' | 'promoted_by_hand' | 'rolled_back' | 'put_back';
  version: string;
  by: string;
  reason: string;
  legacyStages: boolean;
  force: boolean;
  evidence: string | null;
  /** An approval's: production must be this one. */
  champion?: string | null;
}

export interface CloseApprovalInput {
  position: LedgerPosition;
  event: 'rejected' | 'expired';
  pending: PendingApproval;
  by: string;
  reason: string;
}

export interface RecalledLedger {
  entries: LedgerEntry[];
  /** All that MLflow has. */
  total: number;
}

/** Activities of the workflow `modelSteward`. Implemented in activities/steward-activities.ts. */
export interface StewardActivities {
  recallLedger(input: { model: string }): Promise<RecalledLedger>;
  settleCandidate(input: SettleCandidateInput): Promise<Settled<CandidateAnswer>>;
  moveByHand(input: MoveByHandInput): Promise<Settled<LedgerEntry>>;
  closeApproval(input: CloseApprovalInput): Promise<Settled<LedgerEntry>>;
  watchProduction(input: {
    model: string;
    production: string | null;
  }): Promise<{ production: string | null }>;
  observeProduction(input: { position: LedgerPosition }): Promise<Settled<null>>;
  mirrorLedger(input: { model: string; entries: LedgerEntry[] }): Promise<{ mirrored: number }>;
}

export type { EvaluateOutput };
