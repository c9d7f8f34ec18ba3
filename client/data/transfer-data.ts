import { StageCache } from '../../pipeline/results/stage-cache';
import { push } from '../../integrations/dvc/push';
import { type TransferResult } from '../../integrations/dvc/transfer';
import { trackedOuts } from '../../integrations/dvc/tracked-outs';
import { type Workspace } from '../../integrations/dvc/workspace';
import { lockedData, lockedStageKeys } from '../../pipeline/workspace/locked-stages';
import { readStageCode } from '../../pipeline/stage-code';
import { chosen } from './chosen-outs';
import { loadClientConfig, type ClientConfig } from '../config';
import { openNamedRemote } from '../../pipeline/open-remote';
import { requireWorkspace } from './project-store';
import { absent, restoreData, storeFromGit, whereabouts } from './restore-data';
import { printJson } from '../terminal/print-json';
import { paint, screen } from '../terminal/screen';
import { size } from '../terminal/size';
import { transferLine } from '../terminal/transfer-line';

/** Options of `retrain data push` and `pull`. */
export interface TransferFlags {
  remote?: string;
  force?: boolean;
  json: boolean;
}

/** Brings what the workspace tracks, and what its stages need elsewhere, to a remote, and says what it did. */
export async function pushData(targets: string[], { remote, json }: TransferFlags, signal: AbortSignal) {
  const config = loadClientConfig();
  const workspace = await requireWorkspace(config);
  const line = json ? null : transferLine(screen, 'pushing');
  try {
    const storage = await openNamedRemote(workspace.config, config.env, remote);
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
    if (json) printJson('data push', { remote: storage.name, ...moved, stages: keys.length });
    else screen.out(pushed(moved, storage.name, keys.length));
  } finally {
    line?.end();
    workspace.close();
  }
}

/** Fetches what the workspace tracks, puts it there, and says what it did. */
export async function pullData(
  targets: string[],
  { remote, force = false, json }: TransferFlags,
  signal: AbortSignal,
) {
  const config = loadClientConfig();
  const workspace = await requireWorkspace(config);
  try {
    const storage = await openNamedRemote(workspace.config, config.env, remote);
    const outs = chosen(await trackedOuts(workspace.root), targets);
    // Training data that is there is git's, or its user's, business.
    const inputs = targets.length > 0 ? [] : absent(workspace, await lockedData(workspace.root));
    await storeFromGit(workspace, inputs, 'HEAD');
    const { found, nowhere } = await whereabouts(workspace, inputs, storage);
    const restored = await restoreData(workspace, [...outs, ...found], {
      holder: 'retrain data pull',
      force,
      remote: storage,
      quiet: json,
      signal,
    });
    const cache = new StageCache(workspace.store);
    const keys = targets.length > 0 ? [] : await stageKeys(config, workspace, signal);
    const fetched = await Promise.all(keys.map((key) => cache.fetch(key, storage, { signal })));
    const stages = fetched.filter((result) => result !== null).length;
    const missing = nowhere.map(({ path }) => path);
    if (json) {
      printJson('data pull', { remote: storage.name, ...restored, stages, missing });
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
