import { rm } from 'node:fs/promises';
import { type Command } from 'commander';
import { RetrainError, listed } from '../../contracts/errors';
import { RUN_TAG } from '../../contracts/names';
import { ARTIFACT } from '../../contracts/stage';
import { currentMd5 } from '../../integrations/dvc/data-status';
import { type RestoreTarget } from '../../integrations/dvc/restore';
import { trackedOuts } from '../../integrations/dvc/tracked-outs';
import { type Workspace } from '../../integrations/dvc/workspace';
import { type Mlflow } from '../../integrations/mlflow/client';
import {
  findRegisteredRun,
  parseModelReference,
  recordedData,
  recordedTables,
  type RegisteredRun,
} from '../../integrations/mlflow/registered-run';
import { lockedData } from '../../pipeline/workspace/locked-stages';
import { type ObjectStorage } from '../../integrations/files/object-storage';
import { digestFile } from '../../ml/hashing/digest-file';
import { type CommandModule } from '../command';
import { loadClientConfig, type ClientConfig } from '../config';
import { openNamedRemote } from '../../pipeline/open-remote';
import { requireWorkspace } from '../data/project-store';
import { restoreData, storeFromGit, whereabouts } from '../data/restore-data';
import { printJson } from '../terminal/print-json';
import { paint, screen } from '../terminal/screen';
import { untilInterrupted } from '../terminal/until-interrupted';

interface RestoreFlags {
  remote?: string;
  force: boolean;
  json: boolean;
}

export const restore: CommandModule = {
  define(program: Command) {
    program
      .command('restore')
      .description('put back the data of dvc.lock, or the data and the model of a registered version')
      .argument('[model]', 'such as iris-classifier@production or iris-classifier@3')
      .option('--remote <name>', 'a remote of .dvc/config; default: its core.remote')
      .option('--force', 'overwrite and remove local changes', false)
      .option('--json', 'print one JSON object', false)
      .addHelpText(
        'after',
        '\nWhat the cache lacks is taken from git or fetched from the remote. Without --force, nothing is lost: a file whose\ncontent is nowhere else stops it, before anything is written.\n\nExample:\n  retrain restore iris-classifier@production\n',
      )
      .action((model: string | undefined, flags: RestoreFlags) =>
        untilInterrupted('the restore', (signal) => run(model, flags, signal)),
      );
  },
};

/** What is to be put back, and what it is called. */
interface Wanted {
  what: string;
  targets: RestoreTarget[];
  /** Of which commit git may have the content. */
  commit: string;
}

async function run(model: string | undefined, flags: RestoreFlags, signal: AbortSignal): Promise<void> {
  const config = loadClientConfig();
  const workspace = await requireWorkspace(config);
  try {
    const { what, targets, commit } =
      model === undefined
        ? await recordedInLock(workspace)
        : await recordedWithModel(config, workspace, model, signal);
    await storeFromGit(workspace, targets, commit);
    const remote = await remoteIfNeeded(config, workspace, targets, flags.remote);
    const { found, nowhere } = await whereabouts(workspace, targets, remote);
    await requireUnchanged(workspace, nowhere, remote, signal);
    const { force, json } = flags;
    const done = await restoreData(workspace, found, {
      holder: 'retrain restore',
      force,
      remote,
      quiet: json,
      signal,
    });
    if (json) {
      printJson('restore', { what, ...done });
      return;
    }
    const files = [...done.written, ...done.removed.map((path) => `${path} (removed)`)];
    screen.out(
      files.length === 0
        ? `${paint.good('Nothing to do')}: the files are those of ${what}.`
        : [`${paint.good('Restored')} ${what}:`, ...cut(files).map((file) => `  ${file}`)].join('\n'),
    );
  } finally {
    workspace.close();
  }
}

async function recordedInLock({ root }: Workspace): Promise<Wanted> {
  const outs = await trackedOuts(root);
  const tracked = new Set(outs.map(({ path }) => path));
  const data = (await lockedData(root)).filter(({ path }) => !tracked.has(path));
  return { what: 'dvc.lock and .dvc files', targets: [...outs, ...data], commit: 'HEAD' };
}

async function recordedWithModel(
  config: ClientConfig,
  workspace: Workspace,
  model: string,
  signal: AbortSignal,
): Promise<Wanted> {
  const reference = parseModelReference(model);
  const { createMlflow } = await import('../../integrations/mlflow/client.js');
  const mlflow = createMlflow(config.mlflow);
  try {
    const registered = await findRegisteredRun(mlflow, reference, signal);
    const { version, run: made } = registered;
    const tables = recordedTables(recordedData(made)).map(async ({ path, md5, sizeBytes }) => {
      const stored = await workspace.store.objects.stat(md5);
      return { path, md5, sizeBytes: sizeBytes ?? stored?.size ?? 0 };
    });
    return {
      what: `${version.name} v${version.version}`,
      targets: [...(await Promise.all(tables)), await storeModel(mlflow, workspace, registered, signal)],
      commit: made.tags[RUN_TAG.gitCommit] ?? 'HEAD',
    };
  } finally {
    await mlflow.close();
  }
}

/** Fetches the registered model into the store, from where it is put into the workspace like all else. */
async function storeModel(
  mlflow: Mlflow,
  { store }: Workspace,
  { version }: RegisteredRun,
  signal: AbortSignal,
): Promise<RestoreTarget> {
  const source = await mlflow.resolveSource(version.source, signal);
  const staged = await store.objects.staging.newPath();
  try {
    await mlflow.artifacts.downloadFile(source, ARTIFACT.model, staged, signal);
    const { md5, sizeBytes } = await digestFile(staged, { signal });
    await store.objects.settle(staged, md5, sizeBytes);
    return { path: `models/${version.name}/${ARTIFACT.model}`, md5, sizeBytes };
  } finally {
    await rm(staged, { force: true });
  }
}

/** A remote is opened only if something has to be fetched from it, or it is named. */
async function remoteIfNeeded(
  config: ClientConfig,
  workspace: Workspace,
  targets: readonly RestoreTarget[],
  name: string | undefined,
): Promise<ObjectStorage | null> {
  if (name === undefined && workspace.config.defaultRemote === undefined) return null;
  const { nowhere } = await whereabouts(workspace, targets, null);
  return nowhere.length === 0 ? null : openNamedRemote(workspace.config, config.env, name);
}

/** What is nowhere else need not be fetched, as long as the workspace has it. */
async function requireUnchanged(
  workspace: Workspace,
  nowhere: readonly RestoreTarget[],
  remote: ObjectStorage | null,
  signal: AbortSignal,
): Promise<void> {
  const gone: string[] = [];
  for (const { path, md5 } of nowhere) {
    if ((await currentMd5(workspace, path, { signal })) !== md5) gone.push(`${path} (md5 ${md5})`);
  }
  if (gone.length === 0) return;
  const sought =
    remote === null ? 'the cache, and no remote is configured' : `the cache nor on ${remote.name}`;
  throw new RetrainError(
    'ARTIFACT_MISSING',
    `${listed(gone)} cannot be restored: ${remote === null ? 'not in' : 'neither in'} ${sought}; push it from a machine that has it (retrain data push)`,
  );
}

function cut(files: readonly string[]): string[] {
  const most = 20;
  return files.length <= most ? [...files] : [...files.slice(0, most), `and ${files.length - most} more`];
}
