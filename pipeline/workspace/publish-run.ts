import { dataInputs } from '../../contracts/data-inputs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { type RunIdentity } from '../run/identify-run';
import { type Artifact, type Metrics } from '../../contracts/stage';
import { writeAtomically } from '../../integrations/files/atomic-write';
import { isDirectoryHash } from '../../integrations/dvc/cache-layout';
import { type ContentStore } from '../../integrations/dvc/content-store';
import { currentMd5 } from '../../integrations/dvc/data-status';
import { type LockOptions } from '../../integrations/files/file-lock';
import { type OutContent } from '../../integrations/dvc/out-entry';
import {
  recordPipeline,
  type RecordedPath,
  type RecordedStage,
} from '../../integrations/dvc/record-pipeline';
import { ignoreInGit, initWorkspace, openWorkspace, type Workspace } from '../../integrations/dvc/workspace';
import { withPathLocks } from '../../integrations/dvc/workspace-lock';
import { computeStage } from '../compute-stage';
import { type ComputeStageName } from '../stage';
import { lockedParams } from './locked-params';
import { type StageCode } from '../stage-code';
import { storedReceipt } from '../results/stage-receipt';
import { metricsBytes, modelMetadataPath, workspaceStages, type WorkspaceStage } from './workspace-stages';

/** A finished run, as far as the workspace shows it. All artifacts are in the store. */
export interface Publication {
  spec: RunIdentity;
  /** The stage code that ran. */
  code: StageCode;
  stages: Readonly<Record<ComputeStageName, { outputs: readonly Artifact[]; metrics: Metrics }>>;
  /** model_metadata.json */
  metadata: Artifact;
}

/** A file of the workspace, and what is to be there; null: nothing. */
interface Placement {
  path: string;
  artifact: Artifact | null;
}

/**
 * Shows a run in the project's folder: prepared tables, model and metrics where `workspaceStages` puts them, then `dvc.yaml` and
 * `dvc.lock`, so that `dvc status` finds all up to date and `dvc repro` has nothing to do. A folder that is no DVC
 * workspace becomes one. Outputs there are replaced, as `dvc repro` would; nothing else is touched.
 *
 * Idempotent. Files come before the lock that names them; in between, `dvc` shows them as modified.
 *
 * @throws RetrainError WORKSPACE_BUSY when `dvc` or another run holds the paths for too long; CONFIG_INVALID for a dvc.yaml or dvc.lock
 *   that DVC would not read; the file system's own errors
 */
export async function publishRun(
  project: string,
  store: ContentStore,
  publication: Publication,
  options: LockOptions = {},
): Promise<void> {
  const found = await openWorkspace(project, { cacheDir: store.cacheDir });
  if (found === null) await initWorkspace(project);
  const workspace = found ?? (await openWorkspace(project, { cacheDir: store.cacheDir }));
  if (workspace === null) return;
  try {
    await publishIn({ ...workspace, root: project }, store, publication, options);
  } finally {
    workspace.close();
  }
}

async function publishIn(
  workspace: Workspace,
  store: ContentStore,
  publication: Publication,
  options: LockOptions,
): Promise<void> {
  const { spec, metadata } = publication;
  const stages = workspaceStages(spec.paramsPath, spec.params);
  const known = artifactsByPath(stages, publication);
  const recorded: RecordedStage[] = [];
  const places: Placement[] = [{ path: modelMetadataPath(spec.params.model), artifact: metadata }];
  const metrics: { path: string; text: string }[] = [];
  for (const stage of stages) {
    const receipt = await receiptOf(store, stage, publication, known);
    const outs = [...Object.values(stage.outputs), ...(stage.receipt === null ? [] : [stage.receipt])];
    if (stage.receipt !== null && receipt !== null) known.set(stage.receipt, receipt);
    places.push(...outs.map((at) => ({ path: at, artifact: known.get(at) ?? null })));
    const text = metricsBytes(publication.stages[stage.stage].metrics);
    const measured = await store.putBytes(text, stage.metrics);
    metrics.push({ path: stage.metrics, text });
    recorded.push({
      name: stage.name,
      cmd: stage.cmd,
      deps: await recordedPaths(store, Object.values(stage.inputs), known),
      params: await lockedParams(workspace.root, stage, spec.params),
      paramsFile: stage.paramsFile,
      outs: [
        ...(await recordedPaths(store, outs, known)).map((out) => ({
          ...out,
          kind: 'out' as const,
          keptIn: 'cache' as const,
        })),
        { path: stage.metrics, content: contentOf(measured), kind: 'metric', keptIn: 'git' },
      ],
    });
  }
  const absolute = (at: string): string => path.join(workspace.root, at);
  const written = [...places.map((place) => place.path), ...metrics.map((file) => file.path)];
  const holder = `retrain ${spec.params.model} ${spec.pipelineKey.slice(0, 8)}`;
  await withPathLocks(
    workspace.dvcDir,
    { read: [], write: written.map(absolute) },
    holder,
    { ...options, hardlink: workspace.config.hardlinkLock },
    async () => {
      for (const place of places) await put(workspace, store, place);
      for (const { path: at, text } of metrics) await writeAtomically(absolute(at), text);
      await ignoreInGit(absolute(modelMetadataPath(spec.params.model)));
      await recordPipeline(workspace, recorded, options);
    },
  );
}

/** Every artifact of the run by its place in the workspace. */
function artifactsByPath(
  stages: readonly WorkspaceStage[],
  { spec, stages: results }: Publication,
): Map<string, Artifact> {
  const known = new Map(
    dataInputs(spec).map(({ data: { path: at }, artifact }): [string, Artifact] => [
      at,
      { ...artifact, name: at },
    ]),
  );
  for (const { stage, outputs } of stages) {
    for (const artifact of results[stage].outputs) {
      const place = outputs[artifact.name];
      if (place !== undefined) known.set(place, artifact);
    }
  }
  return known;
}

async function receiptOf(
  store: ContentStore,
  stage: WorkspaceStage,
  { spec, code, stages }: Publication,
  known: ReadonlyMap<string, Artifact>,
): Promise<Artifact | null> {
  const inputs = Object.entries(stage.inputs).flatMap(([name, at]) => {
    const artifact = known.get(at);
    return artifact === undefined ? [] : [[name, artifact] as const];
  });
  const work = computeStage(stage.stage, spec.params, code, spec.images);
  return storedReceipt(store, work, stage, Object.fromEntries(inputs), stages[stage.stage]);
}

/** A pattern of files has no entry: DVC knows files and directories only. */
async function recordedPaths(
  store: ContentStore,
  paths: readonly string[],
  known: ReadonlyMap<string, Artifact>,
): Promise<RecordedPath[]> {
  const recorded: RecordedPath[] = [];
  for (const at of new Set(paths)) {
    const artifact = known.get(at);
    if (artifact === undefined || /[*?[{]/.test(at)) continue;
    const nfiles = isDirectoryHash(artifact.md5) ? (await store.manifest(artifact)).length : undefined;
    recorded.push({ path: at.replace(/\/+$/, ''), content: contentOf(artifact, nfiles) });
  }
  return recorded;
}

function contentOf({ md5, sizeBytes }: Artifact, nfiles?: number): OutContent {
  return { md5, sizeBytes, ...(nfiles === undefined ? {} : { nfiles }) };
}

async function put(
  workspace: Workspace,
  store: ContentStore,
  { path: at, artifact }: Placement,
): Promise<void> {
  const dest = path.join(workspace.root, at);
  if (artifact === null) return rm(dest, { force: true });
  if ((await currentMd5(workspace, at)) === artifact.md5) return;
  await store.take(artifact, dest, { mode: workspace.placeMode });
}
