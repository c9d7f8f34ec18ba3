import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { RetrainError, isErrorCode } from '../../contracts/errors';
import { ARTIFACT, Artifact, Metrics } from '../../contracts/stage';
import { type RecordedTable } from '../../integrations/mlflow/registered-run';
import { openWorkspace } from '../../integrations/dvc/workspace';
import { pull } from '../../integrations/dvc/pull';
import { COMPUTE_STAGES } from '../../pipeline/stage';
import { digestData } from '../../pipeline/run/digest-data';
import { insideProject } from '../../pipeline/run/inside-project';
import { type ClientConfig } from '../config';
import { openNamedRemote } from '../../pipeline/open-remote';
import { openProjectStore } from '../data/project-store';
import { type Progress } from '../stack/progress';
import { type Checkout } from './checkout';
import { type Recorded } from './record';
import { type Outcome } from './verdict';

const StageReport = z.object({ outputs: z.array(Artifact), metrics: Metrics });
const ErrorReport = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

/**
 * Brings a recorded table into a checkout, by hash: as git has it, else out of the cache, else from the remote.
 *
 * @returns where it came from
 * @throws RetrainError REPRODUCTION_FAILED when nobody has it
 */
export async function bringData(
  config: ClientConfig,
  { project }: Checkout,
  data: RecordedTable,
  signal: AbortSignal,
): Promise<string> {
  const file = insideProject(project, data.path, 'the recorded params');
  const isThere = async (): Promise<boolean> =>
    existsSync(file) && (await digestData(project, file, signal)).sha256 === data.sha256;
  if (await isThere()) return 'as git has it';
  const opened = await openProjectStore(config);
  try {
    const { store } = opened;
    const known = data.sizeBytes ?? (await store.objects.stat(data.md5))?.size ?? 0;
    const artifact = { name: data.path, md5: data.md5, sha256: data.sha256, sizeBytes: known };
    let from = 'out of the cache';
    if (!(await store.has(artifact))) {
      const name = await fetchData(config, artifact, store, signal);
      if (name === null) throw nowhere(data, 'neither in git nor in the cache, and there is no remote');
      from = `from ${name}`;
    }
    await mkdir(path.dirname(file), { recursive: true });
    await store.take(artifact, file, { mode: 'copy', verify: true, signal });
    if (await isThere()) return from;
    throw nowhere(
      data,
      `not what ${from === 'out of the cache' ? 'the cache' : 'the remote'} has for md5 ${data.md5}`,
    );
  } finally {
    opened.close();
  }
}

/** Brings data from the project's remote into the store. @returns its name; null without a remote */
export async function fetchData(
  config: ClientConfig,
  artifact: Artifact,
  store: Parameters<typeof pull>[0],
  signal: AbortSignal,
): Promise<string | null> {
  const workspace = await openWorkspace(config.project);
  try {
    if (workspace?.config.defaultRemote === undefined) return null;
    const remote = await openNamedRemote(workspace.config, config.env);
    await pull(store, remote, [artifact], { signal });
    return remote.name;
  } finally {
    workspace?.close();
  }
}

function nowhere({ path: name, sha256 }: RecordedTable, why: string): RetrainError {
  return new RetrainError(
    'REPRODUCTION_FAILED',
    `the data ${name} with SHA-256 ${sha256.slice(0, 12)} is ${why}; push it from a machine that has it: retrain data push`,
  );
}

/**
 * Runs the three stages by the checkout's own program, with an empty cache, so that nothing is reused.
 *
 * @param dir for cache and state, outside the project
 * @throws RetrainError what a stage ended with
 */
export async function rerun(
  { env }: ClientConfig,
  { project, program }: Checkout,
  { paramsPath }: Recorded,
  dir: string,
  { progress, signal }: { progress: Progress; signal: AbortSignal },
): Promise<Outcome> {
  const artifacts: Record<string, string> = {};
  let metrics: Metrics = {};
  for (const stage of COMPUTE_STAGES) {
    progress.update(stage, 'running');
    const begun = performance.now();
    const child = spawn(process.execPath, [program, 'stage', stage, '--params', paramsPath, '--json'], {
      cwd: project,
      env: { ...env, RETRAIN_CACHE: path.join(dir, 'cache'), RETRAIN_STATE_DIR: path.join(dir, 'state') },
      stdio: ['ignore', 'pipe', 'pipe'],
      signal,
    });
    const ended = once(child, 'close') as Promise<[number | null]>;
    const [[code], stdout, stderr] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
    if (code !== 0) throw stageFailure(stage, stdout, stderr);
    const report = StageReport.parse(JSON.parse(stdout));
    for (const { name, sha256 } of report.outputs) artifacts[name] = sha256;
    metrics = report.metrics;
    progress.done(stage, `done in ${Math.round(performance.now() - begun)} ms`);
  }
  return { artifacts, model: artifacts[ARTIFACT.model] ?? '', metrics };
}

function stageFailure(stage: string, stdout: string, stderr: string): RetrainError {
  let reported: z.infer<typeof ErrorReport> | undefined;
  try {
    reported = ErrorReport.parse(JSON.parse(stdout));
  } catch {
    reported = undefined;
  }
  const { code, message } = reported?.error ?? {
    code: 'STAGE_FAILED',
    message: stderr.trim().split('\n')[0],
  };
  return new RetrainError(
    isErrorCode(code) ? code : 'STAGE_FAILED',
    `${stage} failed in the checkout: ${message ?? 'it said nothing'}`,
  );
}
