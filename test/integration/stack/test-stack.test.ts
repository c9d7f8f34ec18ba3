import { Connection } from '@temporalio/client';

describe('the test stack', () => {
  it('offers a Temporal server that has our search attributes', async () => {
    const connection = await Connection.connect({ address: process.env['RETRAIN_TEST_TEMPORAL_ADDRESS']! });
    const { customAttributes } = await connection.operatorService.listSearchAttributes({
      namespace: 'default',
    });
    await connection.close();
    expect(customAttributes).toMatchObject({
      ...{ Model: 2, DataHash: 2, PipelineKey: 2, GitCommit: 2, Stage: 2, Alarm: 2 },
      Promoted: 5,
    });
  });

  it('offers an MLflow server that answers requests', async () => {
    const uri = process.env['RETRAIN_TEST_MLFLOW_URI']!;
    const response = await fetch(`${uri}/api/2.0/mlflow/experiments/get-by-name?experiment_name=Default`);
    expect(response.status).toBe(200);
  });
});
