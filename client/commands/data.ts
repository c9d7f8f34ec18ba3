import { type Command } from 'commander';
import { StageCache } from '../../integrations/dvc/stage-cache';
import { dataStatus, describeStatus } from '../../integrations/dvc/data-status';
import { pipelineStatus } from '../../integrations/dvc/pipeline-status';
import { push } from '../../integrations/dvc/push';
import { type TransferResult } from '../../integrations/dvc/transfer';
import { trackedOuts } from '../../integrations/dvc/tracked-outs';
import { type Workspace } from '../../integrations/dvc/workspace';
import { lockedData, lockedStageKeys } from '../../integrations/project/locked-stages';
import { readStageCode } from '../../integrations/project/stage-code';
import { type CommandModule } from '../command';
import { loadClientConfig, type ClientConfig } from '../config';
import { openDataRemote } from '../data-remote';
import { requireWorkspace } from '../project-store';
import { absent, chosen, restoreData, storeFromGit, whereabouts } from '../restore-data';
import { paint, screen } from '../terminal/screen';
import { size } from '../terminal/size';
import { transferLine } from '../terminal/transfer-line';
import { untilInterrupted } from '../until-interrupted';

interface TransferFlags {
  remote?: string;
  force?: boolean;
  json: boolean;
}

const EXPLANATION =
  '\nBeside what dvc push and pull move, the training data of our stages and their cached results are moved, so that\nanother machine reuses them. The remote is that of .dvc/config.\n';

export const data: CommandModule = {
  define(program: Command) {
    const group = program
      .command('data')
      .description('the versions of data and models, in the formats of DVC: status, push, pull')
      .addHelpText('after', '\nExample:\n  retrain data status\n');
    group
      .command('status')
      .description('say what differs from what dvc.lock and .dvc files record')
      .argument('[target...]', 'tracked paths or stages; default: all')
      .option('--json', 'print one JSON object', false)
      .addHelpText('after', '\nExample:\n  retrain data status\n')
      .action(status);
    group
      .command('push')
      .description('bring what the workspace tracks to the remote')
      .argument('[target...]', 'tracked paths or stages; default: all')
      .option('--remote <name>', 'a remote of .dvc/config; default: its core.remote')
      .option('--json', 'print one JSON object', false)
      .addHelpText('after', `${EXPLANATION}\nExample:\n  retrain data push\n`)
      .action((targets: string[], flags: TransferFlags) =>
        untilInterrupted('the push', (signal) => pushData(targets, flags, signal)),
      );
    group
      .command('pull')
      .description('fetch what the workspace tracks, and put it there')
      .argument('[target...]', 'tracked paths or stages; default: all')
      .option('--remote <name>', 'a remote of .dvc/config; default: its core.remote')
      .option('--force', 'overwrite local changes', false)
      .option('--json', 'print one JSON object', false)
      .addHelpText('after', `${EXPLANATION}\nExample:\n  retrain data pull\n`)
      .action((targets: string[], flags: TransferFlags) =>
        untilInterrupted('the pull', (signal) => pullData(targets, flags, signal)),
      );
  },
};

async function status(targets: string[], { json }: { json: boolean }): Promise<void> {
  const workspace = await requireWorkspace(loadClientConfig());
  try {
    const outs = await dataStatus(workspace, chosen(await trackedOuts(workspace.root), targets));
    const stages = targets.length === 0 ? await pipelineStatus(workspace) : [];
    if (json) {
      screen.out(JSON.stringify({ outs, stages }));
      return;
    }
    const differing = outs.filter(({ state, inCache }) => state !== 'unchanged' || !inCache);
    const lines = [
      ...differing.map((out) => `  ${describeStatus(out)}`),
      ...stages.map(({ stage, changes }) => `  ${stage}: ${changes.join(', ')}`),
    ];
    const summary = `${outs.length} tracked ${outs.length === 1 ? 'path' : 'paths'}`;
    screen.out(
      lines.length === 0
        ? paint.good(`Data and pipelines are up to date (${summary}).`)
        : [`${lines.length} of what is recorded differ (${summary}):`, ...lines].join('\n'),
    );
  } finally {
    workspace.close();
  }
}

async function pushData(targets: string[], { remote, json }: TransferFlags, signal: AbortSignal) {
  const config = loadClientConfig();
  const workspace = await requireWorkspace(config);
  const line = json ? null : transferLine(screen, 'pushing');
  try {
    const storage = await openDataRemote(config, workspace, remote);
    const outs = chosen(await trackedOuts(workspace.root), targets);
    // Training data that no .dvc file tracks: a run elsewhere needs it, so what the cache has of it goes along.
    const inputs = targets.length > 0 ? [] : await lockedData(workspace.root);
    const cached = await Promise.all(inputs.map((input) => workspace.store.has(input)));
    const wanted = [...outs, ...inputs.filter((_, index) => cached[index])];
    const moved = await push(
      workspace.store,
      storage,
      wanted.map((out) => ({ ...out, name: out.path })),
      { signal, onProgress: (progress) => line?.show(progress) },
    );
    const cache = new StageCache(workspace.store);
    const keys = targets.length > 0 ? [] : await stageKeys(config, workspace, signal);
    for (const key of keys) await cache.share(key, storage, { signal });
    line?.end();
    if (json) screen.out(JSON.stringify({ remote: storage.name, ...moved, stages: keys.length }));
    else screen.out(pushed(moved, storage.name, keys.length));
  } finally {
    line?.end();
    workspace.close();
  }
}

async function pullData(
  targets: string[],
  { remote, force = false, json }: TransferFlags,
  signal: AbortSignal,
) {
  const config = loadClientConfig();
  const workspace = await requireWorkspace(config);
  try {
    const storage = await openDataRemote(config, workspace, remote);
    const outs = chosen(await trackedOuts(workspace.root), targets);
    // Training data that is there is git's, or its user's, business.
    const inputs = targets.length > 0 ? [] : absent(workspace, await lockedData(workspace.root));
    await storeFromGit(workspace, inputs, 'HEAD');
    const { found, nowhere } = await whereabouts(workspace, inputs, storage);
    const restored = await restoreData(workspace, [...outs, ...found], {
      ...{ holder: 'retrain data pull', force, remote: storage, quiet: json, signal },
    });
    const cache = new StageCache(workspace.store);
    const keys = targets.length > 0 ? [] : await stageKeys(config, workspace, signal);
    const fetched = await Promise.all(keys.map((key) => cache.fetch(key, storage, { signal })));
    const stages = fetched.filter((result) => result !== null).length;
    const missing = nowhere.map(({ path }) => path);
    if (json) {
      screen.out(JSON.stringify({ remote: storage.name, ...restored, stages, missing }));
      return;
    }
    for (const path of missing)
      screen.err(paint.dim(`${path} is neither in the cache nor on ${storage.name}`));
    const { written, removed } = restored;
    screen.out(
      `Pulled from ${storage.name}: ${written.length} files written, ${removed.length} removed; results of ${stages} stages are known.`,
    );
  } finally {
    workspace.close();
  }
}

async function stageKeys(config: ClientConfig, workspace: Workspace, signal: AbortSignal): Promise<string[]> {
  return lockedStageKeys(workspace, {
    code: await readStageCode(config.stageCodeFile),
    // The engine's client is loaded for container stages only.
    imageDigest: async (image) => {
      const { digestOfImage } = await import('../../integrations/docker/digest-of-image.js');
      return digestOfImage(image, config.env);
    },
    signal,
  });
}

function pushed({ moved, present, movedBytes }: TransferResult, remote: string, stages: number): string {
  const along = stages === 0 ? '' : `; results of ${stages} stages go along`;
  return `Pushed ${moved} objects, ${size(movedBytes)}, to ${remote}; ${present} were there${along}.`;
}
