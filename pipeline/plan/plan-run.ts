import { dataHashOf } from '../../contracts/lineage';
import { ALIAS, RUN_TAG, STAGES, VERSION_TAG } from '../../contracts/names';
import { ARTIFACT } from '../../contracts/stage';
import { type Mlflow } from '../../integrations/mlflow/client';
import { type ModelVersion } from '../../integrations/mlflow/registry-record';
import { resultFromTags } from '../../integrations/mlflow/result-tag';
import { runParams } from '../../integrations/mlflow/run-fields';
import { type MlflowRun } from '../../integrations/mlflow/run-record';
import { lookAtModel, whyUnscorable } from '../champion';
import { type RunIdentity } from '../run/identify-run';
import { type StageCode } from '../stage-code';
import { type StageResults } from '../results/stage-results';
import { sha256Hex } from '../../ml/hashing/pipeline-key';
import { forecastText, forecastUnseen } from './expect-unseen';
import { type PartChange, type Plan } from './plan';
import { planStages, type ChampionInputs } from './plan-stages';

/** How many of the newest runs are looked through for the model's last finished one. */
const LOOK_BACK = 200;

/** What a start would do, and which part of the key differs from the model's last run. Reads only. */
export async function planRun(
  mlflow: Mlflow,
  identity: RunIdentity,
  code: StageCode,
  results: StageResults,
): Promise<Plan> {
  const { params, pipelineKey } = identity;
  const experimentId = await mlflow.experiments.find(params.experiment);
  const runs = experimentId === null ? [] : await mlflow.runs.list([experimentId], LOOK_BACK);
  const finished = runs.filter((run) => run.status === 'FINISHED' && run.params['model'] === params.model);
  const same = finished.find((run) => run.tags[RUN_TAG.pipelineKey] === pipelineKey);
  const last = finished[0];
  const result = same === undefined ? null : resultFromTags(same.tags);
  const parts: PartChange[] = [
    part('data', dataHashOf(identity), last?.tags[RUN_TAG.dataHash]),
    part(
      'params',
      identity.paramsHash,
      last?.tags[RUN_TAG.paramsHash],
      last === undefined ? [] : paramChanges(last, identity),
    ),
    part('code', identity.codeHash, last?.tags[RUN_TAG.codeHash]),
  ];
  const champion = result === null ? await championOf(mlflow, params.model) : null;
  return {
    pipelineKey,
    model: params.model,
    finished: result,
    last: last === undefined ? null : resultFromTags(last.tags),
    parts,
    stages:
      result === null
        ? await planStages(
            results,
            identity,
            code,
            await championInputs(mlflow, champion),
            last === undefined ? null : { parts, stageCode: stageCodeOf(last) },
          )
        : STAGES.map((stage) => ({ stage, does: 'reuse', because: `version ${result.modelVersion} has it` })),
    comparison: champion === null ? null : comparisonNote(champion, identity),
  };
}

interface ChampionNow {
  version: ModelVersion;
  /** Null: it came from no run, or from one that is gone. */
  run: MlflowRun | null;
}

async function championOf(mlflow: Mlflow, model: string): Promise<ChampionNow | null> {
  const version = await mlflow.registry.findByAlias(model, ALIAS.production);
  if (version === null) return null;
  if (version.runId === '') return { version, run: null };
  try {
    return { version, run: await mlflow.runs.get(version.runId) };
  } catch (error) {
    whyUnscorable(error);
    return { version, run: null };
  }
}

/** On which rows it will not be possible to compare, as far as the params tell. */
function comparisonNote({ version, run }: ChampionNow, identity: RunIdentity): string | null {
  const named = `version ${version.version}`;
  if (run === null || version.tags[VERSION_TAG.seenRows] === undefined) {
    return identity.params.promote.unseen === 'required'
      ? `${named} does not tell which rows it was trained on, so the candidate goes to staging (promote.unseen: required)`
      : `${named} does not tell which rows it was trained on, so the two are compared on all held-out rows`;
  }
  const forecast = forecastUnseen(run.params, runParams(identity));
  return forecast === null ? null : forecastText(forecast, named);
}

/**
 * What evaluate is given of the champion, without its bytes: nothing of one that cannot be scored; null for one of which neither its
 * MLmodel nor its run tells the hash.
 */
async function championInputs(mlflow: Mlflow, champion: ChampionNow | null): Promise<ChampionInputs> {
  if (champion === null) return {};
  const { version, run } = champion;
  try {
    const { content, description } = await lookAtModel(mlflow, version);
    const sha256 = content?.sha256 ?? run?.tags[`${RUN_TAG.artifactSha256}.${ARTIFACT.model}`];
    if (sha256 === undefined) return null;
    const seenRows = version.tags[VERSION_TAG.seenRows];
    return {
      [ARTIFACT.championModel]: { sha256 },
      ...(seenRows === undefined ? {} : { [ARTIFACT.championSeenRows]: { sha256: seenRows } }),
      ...(description === null
        ? {}
        : { [ARTIFACT.championDescription]: { sha256: sha256Hex(JSON.stringify(description)) } }),
    };
  } catch (error) {
    whyUnscorable(error);
    return {};
  }
}

function stageCodeOf({ tags }: MlflowRun): Record<string, string> {
  const prefix = `${RUN_TAG.codeHash}.`;
  return Object.fromEntries(
    Object.entries(tags)
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, hash]) => [name.slice(prefix.length), hash]),
  );
}

function part(
  name: PartChange['part'],
  hash: string,
  before: string | undefined,
  details: string[] = [],
): PartChange {
  return { part: name, hash, before: before ?? null, details: before === hash ? [] : details };
}

function paramChanges(last: MlflowRun, identity: RunIdentity): string[] {
  const now = runParams(identity);
  const names = [...new Set([...Object.keys(last.params), ...Object.keys(now)])].sort();
  return names
    .filter((name) => name.includes('.') || name === 'experiment' || name === 'task')
    .filter((name) => String(now[name]) !== last.params[name])
    .filter((name) => !/^(data\.path$|data\.extra\.|retry\.|notify\.)/.test(name))
    .map(
      (name) =>
        `${name} ${last.params[name] ?? '(none)'} → ${now[name] === undefined ? '(none)' : String(now[name])}`,
    );
}
