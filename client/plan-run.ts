import { RUN_TAG, STAGES, type StageName } from '../contracts/names';
import { type TrainingResult } from '../contracts/run';
import { type Mlflow } from '../integrations/mlflow/client';
import { resultFromTags } from '../integrations/mlflow/result-tag';
import { runParams } from '../integrations/mlflow/run-fields';
import { type MlflowRun } from '../integrations/mlflow/run-record';
import { type RunIdentity } from '../integrations/project/identify-run';

export interface PartChange {
  part: 'data' | 'params' | 'code';
  hash: string;
  /** Null: there is no earlier run. */
  before: string | null;
  /** For params: `train.n_estimators 100 → 200`. */
  details: string[];
}

export interface StagePlan {
  stage: StageName;
  does: 'run' | 'reuse';
  because: string;
}

export interface Plan {
  pipelineKey: string;
  model: string;
  /** The finished run of this very key, if there is one: then nothing runs. */
  finished: TrainingResult | null;
  /** The newest finished run of the model, which the changes are against. */
  last: TrainingResult | null;
  parts: PartChange[];
  stages: StagePlan[];
}

/** How many of the newest runs are looked through for the model's last finished one. */
const LOOK_BACK = 200;

/** What a start would do, and which part of the key differs from the model's last run. Reads only. */
export async function planRun(mlflow: Mlflow, identity: RunIdentity): Promise<Plan> {
  const { params, pipelineKey } = identity;
  const experimentId = await mlflow.experiments.find(params.experiment);
  const runs = experimentId === null ? [] : await mlflow.runs.list([experimentId], LOOK_BACK);
  const finished = runs.filter((run) => run.status === 'FINISHED' && run.params['model'] === params.model);
  const same = finished.find((run) => run.tags[RUN_TAG.pipelineKey] === pipelineKey);
  const last = finished[0];
  const result = same === undefined ? null : resultFromTags(same.tags);
  return {
    pipelineKey,
    model: params.model,
    finished: result,
    last: last === undefined ? null : resultFromTags(last.tags),
    parts: [
      part('data', identity.data.sha256, last?.tags[RUN_TAG.dataHash]),
      part(
        'params',
        identity.paramsHash,
        last?.tags[RUN_TAG.paramsHash],
        last === undefined ? [] : paramChanges(last, identity),
      ),
      part('code', identity.codeHash, last?.tags[RUN_TAG.codeHash]),
    ],
    stages: STAGES.map((stage) =>
      result === null
        ? { stage, does: 'run', because: 'this data, params and code have not been trained together' }
        : { stage, does: 'reuse', because: `version ${result.modelVersion} has it` },
    ),
  };
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
    .filter((name) => !/^(data\.path|retry\.|notify\.)/.test(name))
    .map(
      (name) =>
        `${name} ${last.params[name] ?? '(none)'} → ${now[name] === undefined ? '(none)' : String(now[name])}`,
    );
}
