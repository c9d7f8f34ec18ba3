import path from 'node:path';
import { createMlflow } from '../../integrations/mlflow/client';
import { publicKeyOf } from '../../integrations/signing/public-key';
import { openProjectRemote } from '../../pipeline/open-remote';
import { type DriftDeps } from '../../serving/watch/drift-question';
import { type ClientConfig } from '../config';
import { openProjectStore } from '../data/project-store';

/** What a check of drift on this machine works with. */
export async function openDriftDeps(
  config: ClientConfig,
  key: string | undefined,
): Promise<{ deps: DriftDeps; close: () => Promise<void> }> {
  const { project, state, env } = config;
  const setting = key === undefined ? 'RETRAIN_SIGNING_PUBLIC_KEY' : '--key';
  const publicKey = publicKeyOf(key ?? env['RETRAIN_SIGNING_PUBLIC_KEY'], setting, project);
  const opened = await openProjectStore(config);
  const mlflow = createMlflow(config.mlflow);
  return {
    deps: {
      ...{ project, mlflow, store: opened.store, publicKey },
      remote: () => openProjectRemote(project, env),
      shelf: { mlflow: config.mlflow, dir: path.join(state, 'serving') },
      predictions: path.join(state, 'predictions'),
    },
    close: async () => {
      opened.close();
      await mlflow.close();
    },
  };
}
