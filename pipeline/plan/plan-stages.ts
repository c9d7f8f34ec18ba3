import { listed } from '../../contracts/errors';
import { dataInputs } from '../../contracts/data-inputs';
import { type Artifact, type StageResult } from '../../contracts/stage';
import { questionOf } from '../results/stage-question';
import { computeStage } from '../compute-stage';
import { byName, COMPUTE_STAGES, inputsOf, stageRow, type ComputeStageName } from '../stage';
import { type RunIdentity } from '../run/identify-run';
import { type StageCode } from '../stage-code';
import { type StageResults } from '../results/stage-results';
import { type PartChange, type StagePlan } from './plan';

/** What the last finished run of the model was, as far as a stage may differ from it. */
export interface Before {
  parts: readonly PartChange[];
  /** Of its stages' code, by stage; empty where the run does not say. */
  stageCode: Readonly<Partial<Record<string, string>>>;
}

/** Inputs of evaluate that only the registry knows; null: they are not known without a download. */
export type ChampionInputs = Readonly<Record<string, Pick<Artifact, 'sha256'>>> | null;

/** What is known so far of all that the stages take, by name. */
type Known = Readonly<Record<string, Pick<Artifact, 'sha256'>>>;

/**
 * What a start would run and what it would reuse, stage by stage: the same question that the worker will ask of the same
 * store. Behind a stage that runs, all run, as what it gives is not known yet.
 */
export async function planStages(
  results: StageResults,
  identity: RunIdentity,
  code: StageCode,
  champion: ChampionInputs,
  before: Before | null,
): Promise<StagePlan[]> {
  const { params, images } = identity;
  const plans: StagePlan[] = [];
  let known: Known | null = byName(dataInputs(identity).map(({ artifact }) => artifact));
  for (const stage of COMPUTE_STAGES) {
    const [earlier] = plans.filter(({ does }) => does === 'run').slice(-1);
    if (known === null) {
      plans.push({
        stage,
        does: 'run',
        because: `${earlier?.stage ?? 'the stage before it'} runs before it`,
      });
      continue;
    }
    const work = computeStage(stage, params, code, images);
    const inputs = knownInputs(stage, known, champion, params);
    const found: StageResult | null =
      inputs === null || !work.cacheable ? null : await results.find(questionOf(work, inputs));
    plans.push(
      found === null
        ? { stage, does: 'run', because: whyRun(stage, work.cacheable, inputs, code, before) }
        : { stage, does: 'reuse', because: 'its inputs, params and code are those of an earlier run' },
    );
    known = found === null ? null : { ...known, ...byName(found.outputs) };
  }
  const scored = plans.at(-1)?.does === 'reuse';
  return [
    ...plans,
    { stage: 'register', does: 'run', because: 'each run has a version of its own' },
    {
      stage: 'promote',
      does: 'run',
      because: scored ? 'the gate may decide anew' : 'evaluate runs before it',
    },
  ];
}

/** Null: what the champion gives is not known. */
function knownInputs(
  stage: ComputeStageName,
  known: Known,
  champion: ChampionInputs,
  params: RunIdentity['params'],
): Known | null {
  if (stageRow(stage).mayTake.length === 0) return inputsOf(stage, known, params);
  return champion === null ? null : inputsOf(stage, { ...known, ...champion }, params);
}

function whyRun(
  stage: ComputeStageName,
  cacheable: boolean,
  inputs: Known | null,
  code: StageCode,
  before: Before | null,
): string {
  if (!cacheable) return 'its container gets an environment, a volume or a network, which have no hash';
  if (inputs === null) return 'the champion is not on this machine';
  if (before === null) return 'this model has no earlier run';
  const part = (name: PartChange['part']): PartChange | undefined =>
    before.parts.find((candidate) => candidate.part === name && candidate.before !== candidate.hash);
  if (stage === 'preprocess' && part('data') !== undefined) return 'the data changed';
  const keys: readonly string[] = stageRow(stage).params;
  const changed = (part('params')?.details ?? []).filter((detail) =>
    keys.includes(detail.split(/[. ]/, 1)[0] ?? ''),
  );
  if (changed.length > 0) return listed(changed);
  const earlier = before.stageCode[stage];
  if (earlier !== undefined && earlier !== code.stages[stage]) return 'its code changed';
  if (stage === 'evaluate') return 'the champion changed';
  return 'its result is not in the store of this machine';
}
