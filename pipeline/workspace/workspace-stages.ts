import path from 'node:path';
import { declaredData, isExtraArtifact } from '../../contracts/data-params';
import { type Params } from '../../contracts/params';
import { ARTIFACT, type Metrics } from '../../contracts/stage';
import { byCodePoint } from '../../ml/dataset/code-point-order';
import { COMPUTE_STAGES, leftBy, stageRow, takenBy, type ComputeStageName } from '../stage';
import { RECEIPT } from '../results/stage-receipt';

/** Where the inputs and outputs of a stage are in the workspace, and how `dvc.yaml` calls it. All paths are relative to the project, with `/`. */
export interface WorkspaceStage {
  stage: ComputeStageName;
  /** In dvc.yaml. */
  name: string;
  /** Does the same when `dvc repro` runs it. */
  cmd: string;
  paramsFile: string;
  /** Top-level keys of the params file that it depends on; a file need not have all of them. */
  paramKeys: readonly string[];
  /** Path by the name that the stage knows the input by. */
  inputs: Readonly<Record<string, string>>;
  /** Path by the name of the output, of all that params ask for. What a stage may leave out is among them. */
  outputs: Readonly<Record<string, string>>;
  /** Where its receipt is (see `receiptBytes`): an output for DVC. Null for a stage without outputs. */
  receipt: string | null;
  /** What the stage measured, a flat JSON object: small, kept in git. */
  metrics: string;
}

/** Where a model's `model_metadata.json` is in the workspace. It names the MLflow run, so it is no output of a stage. */
export function modelMetadataPath(model: string): string {
  return `models/${model}/model_metadata.json`;
}

/** The params file whose stages have no suffix in dvc.yaml. */
const MAIN = 'params.yaml';

/**
 * The compute stages of a params file as a DVC pipeline. Evaluation is on its own here, without a champion: which one is
 * in production, only the registry knows. So it has one output, the metrics of the candidate.
 *
 * Several params files share a workspace: each has stages, metrics and prepared tables of its own, by the name of its model.
 */
export function workspaceStages(paramsFile: string, params: Params): WorkspaceStage[] {
  const file = path.posix.normalize(paramsFile.replaceAll('\\', '/'));
  const { model } = params;
  const isMain = file === MAIN;
  const data = declaredData(params.data).map(({ artifact, path: at }) => [artifact, at] as const);
  const extra = data.map(([name]) => name).filter(isExtraArtifact);
  const places = new Map<string, string>(data);
  return COMPUTE_STAGES.map((stage): WorkspaceStage => {
    const { params: paramKeys, shownIn, metricsFile } = stageRow(stage);
    const folder = shownIn === null ? null : `${shownIn}/${model}`;
    const taken = takenBy(stage, params).flatMap((name) =>
      name === ARTIFACT.data ? [name, ...extra] : [name],
    );
    const inputs = taken.flatMap((name) => {
      const place = places.get(name);
      return place === undefined ? [] : [[name, place] as const];
    });
    const outputs =
      folder === null ? [] : leftBy(stage, params).map((name) => [name, `${folder}/${name}`] as const);
    for (const [name, place] of outputs) places.set(name, place);
    return {
      stage,
      name: isMain ? stage : `${stage}-${model}`,
      // --no: where ours is not installed, npx would fetch whatever has the name in the registry, and run it.
      cmd: `npx --no retrain stage ${stage}${isMain ? '' : ` --params ${file}`}`,
      paramsFile: file,
      paramKeys,
      inputs: Object.fromEntries(inputs),
      outputs: Object.fromEntries(outputs),
      receipt: folder === null ? null : `${folder}/${RECEIPT}`,
      metrics: isMain ? `metrics/${metricsFile}` : `metrics/${model}/${metricsFile}`,
    };
  });
}

/** A stage's metrics as they are in the workspace, the same bytes whoever writes them: sorted, one per line. */
export function metricsBytes(metrics: Metrics): string {
  const sorted = Object.entries(metrics).sort(([a], [b]) => byCodePoint(a, b));
  return `${JSON.stringify(Object.fromEntries(sorted), null, 2)}\n`;
}
