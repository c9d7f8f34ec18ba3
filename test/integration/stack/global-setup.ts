import { startMlflow, startTemporal, type OwnServer } from './servers';

declare global {
  var retrainTestServers: OwnServer[] | undefined;
}

/**
 * One real Temporal server and one real MLflow server for all integration suites, side by side on free ports.
 * Suites find them in the environment; ids and model names of their own keep them apart.
 */
export default async function globalSetup(): Promise<void> {
  const started = await Promise.allSettled([startTemporal(), startMlflow()]);
  const [temporal, mlflow] = started;
  globalThis.retrainTestServers = started.flatMap((result) =>
    result.status === 'fulfilled' ? [result.value] : [],
  );
  if (temporal.status === 'rejected' || mlflow.status === 'rejected') {
    await Promise.all(globalThis.retrainTestServers.map((server) => server.stop()));
    throw temporal.status === 'rejected' ? temporal.reason : (mlflow as PromiseRejectedResult).reason;
  }
  process.env['RETRAIN_TEST_TEMPORAL_ADDRESS'] = temporal.value.address;
  process.env['RETRAIN_TEST_TEMPORAL_UI'] = temporal.value.uiUrl;
  process.env['RETRAIN_TEST_TEMPORAL_PID'] = String(temporal.value.pid);
  process.env['RETRAIN_TEST_MLFLOW_URI'] = mlflow.value.uri;
  process.env['RETRAIN_TEST_MLFLOW_PYTHON'] = mlflow.value.python;
}
