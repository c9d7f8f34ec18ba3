import { type Artifacts } from '../contracts/activities';
import { RetrainError } from '../contracts/errors';
import { isExtraArtifact } from '../contracts/data-params';
import { type Params } from '../contracts/params';
import { ARTIFACT } from '../contracts/stage';

/** What a stage takes, makes and depends on. */
export interface StageRow {
  /** Inputs that it must have, by name. */
  takes: readonly string[];
  /** Inputs that it is given when they are there. */
  mayTake: readonly string[];
  /** Outputs of earlier stages that it is given only along with what it may take; without that they change nothing. */
  besides: readonly string[];
  /** Outputs of earlier stages that it must have if the params ask for what needs them. */
  asked: readonly { name: string; when: (params: Pick<Params, 'train'>) => boolean }[];
  /** Outputs that it must leave. */
  makes: readonly string[];
  /** Outputs that are taken when they are there: a stage in another language need not know them. */
  mayLeave: readonly string[];
  /** Of these, what it leaves only where params ask for it. */
  leavesWhen: readonly { name: string; when: (params: Pick<Params, 'train'>) => boolean }[];
  /** The keys of params.yaml that it depends on. */
  params: readonly (keyof Params)[];
  /** Folder of the workspace where its outputs are, below it one per model; null: they are not shown there. */
  shownIn: 'prepared' | 'models' | null;
  /** File of the workspace with its metrics, below metrics/. */
  metricsFile: string;
}

/**
 * The table of the stages that compute, in the order in which they run: functions of content. Everything else about
 * them derives from it: what runs, what is reused, what the workspace shows, what dvc.yaml says. To add a stage, add its row
 * here, its code to stages/catalog, its key to params.yaml's schema, its place in the workflow.
 *
 * What evaluate leaves depends on the champion of the moment, which only the registry knows, so the workspace shows its metrics
 * and not its outputs.
 */
export const STAGE_TABLE = {
  preprocess: {
    takes: [ARTIFACT.data],
    mayTake: [],
    besides: [],
    makes: [ARTIFACT.train, ARTIFACT.test, ARTIFACT.schema],
    asked: [],
    mayLeave: [ARTIFACT.profile, ARTIFACT.seenRows, ARTIFACT.testKeys, ARTIFACT.trainTimes],
    leavesWhen: [],
    params: ['data', 'preprocess', 'expect', 'task'],
    shownIn: 'prepared',
    metricsFile: 'preprocess.json',
  },
  train: {
    takes: [ARTIFACT.train, ARTIFACT.schema],
    mayTake: [],
    besides: [],
    asked: [{ name: ARTIFACT.trainTimes, when: ({ train }) => train.backtest !== undefined }],
    makes: [ARTIFACT.model],
    mayLeave: [ARTIFACT.training, ARTIFACT.features],
    leavesWhen: [{ name: ARTIFACT.features, when: ({ train }) => train.keep_features === true }],
    params: ['train', 'task'],
    shownIn: 'models',
    metricsFile: 'train.json',
  },
  evaluate: {
    takes: [ARTIFACT.test, ARTIFACT.schema, ARTIFACT.model],
    mayTake: [ARTIFACT.championModel, ARTIFACT.championDescription, ARTIFACT.championSeenRows],
    besides: [ARTIFACT.seenRows, ARTIFACT.testKeys],
    asked: [],
    makes: [ARTIFACT.evaluation],
    mayLeave: [ARTIFACT.sideBySide],
    leavesWhen: [],
    params: ['evaluate', 'task'],
    shownIn: null,
    metricsFile: 'metrics.json',
  },
} as const satisfies Record<string, StageRow>;

export type ComputeStageName = keyof typeof STAGE_TABLE;

/** In the order in which they run. */
export const COMPUTE_STAGES = Object.keys(STAGE_TABLE) as readonly ComputeStageName[];

export function isComputeStage(name: string): name is ComputeStageName {
  return Object.hasOwn(STAGE_TABLE, name);
}

/** The row of a stage, its literal types forgotten. */
export function stageRow(stage: ComputeStageName): StageRow {
  return STAGE_TABLE[stage];
}

/** A value for each compute stage. */
export function eachStage<T>(of: (stage: ComputeStageName) => T): Record<ComputeStageName, T> {
  return Object.fromEntries(COMPUTE_STAGES.map((stage) => [stage, of(stage)])) as Record<ComputeStageName, T>;
}

/** What a stage must have to do what the params ask for. */
export function takenBy(stage: ComputeStageName, params: Pick<Params, 'train'>): string[] {
  const { takes, asked } = stageRow(stage);
  return [...takes, ...asked.filter(({ when }) => when(params)).map(({ name }) => name)];
}

/** What a stage leaves by these params, or may leave whatever they are. */
export function leftBy(stage: ComputeStageName, params: Pick<Params, 'train'>): string[] {
  const { makes, mayLeave, leavesWhen } = stageRow(stage);
  const unasked = leavesWhen.filter(({ when }) => !when(params)).map(({ name }) => name);
  return [...makes, ...mayLeave.filter((name) => !unasked.includes(name))];
}

/**
 * What a stage takes of all that a run has so far. Who takes the data also takes the tables that are joined to it.
 *
 * @throws RetrainError STAGE_FAILED when something that it must have is missing
 */
export function inputsOf<T>(
  stage: ComputeStageName,
  known: Readonly<Record<string, T>>,
  params: Pick<Params, 'train'>,
): Record<string, T> {
  const { mayTake, besides } = stageRow(stage);
  const takes = takenBy(stage, params);
  const missing = takes.find((name) => known[name] === undefined);
  if (missing !== undefined) {
    throw new RetrainError('STAGE_FAILED', `${stage} takes ${missing}, which no stage before it has left`);
  }
  const isGiven = mayTake.some((name) => known[name] !== undefined);
  const extra = takes.includes(ARTIFACT.data) ? Object.keys(known).filter(isExtraArtifact) : [];
  return pick(known, [...takes, ...extra, ...mayTake, ...(isGiven ? besides : [])]);
}

/** Artifacts of a stage as a mapping by name. */
export function byName(artifacts: readonly Artifacts[string][]): Record<string, Artifacts[string]> {
  return Object.fromEntries(artifacts.map((artifact) => [artifact.name, artifact]));
}

function pick<T>(known: Readonly<Record<string, T>>, names: readonly string[]): Record<string, T> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = known[name];
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
}
