import { stackSettings } from '../../../client/stack/stack-settings';
import type { StackFile } from '../../../client/stack/stack-file';

const running: StackFile = {
  temporal: {
    address: '127.0.0.1:17233',
    uiUrl: 'http://127.0.0.1:18233',
    namespace: 'default',
    startedByUs: true,
  },
  mlflow: { uri: 'http://127.0.0.1:15000', startedByUs: true },
  taskQueue: 'retrain',
  worker: null,
  api: null,
};

const numbers = (...args: Parameters<typeof stackSettings>): number[] =>
  Object.values(stackSettings(...args).ports).map(({ port }) => port);

describe('the ports of the stack', () => {
  it("are those of Temporal's and MLflow's own tools by default", () => {
    expect(numbers('/p', {}, null)).toEqual([7233, 8233, 5000, 8000]);
  });

  it('are moved by a flag, which wins over a variable', () => {
    const env = { RETRAIN_TEMPORAL_PORT: '7300', RETRAIN_MLFLOW_PORT: '5100' };
    expect(numbers('/p', env, null, { temporalPort: '7400' })).toEqual([7400, 8233, 5100, 8000]);
  });

  it('stay where the stack runs already', () => {
    expect(numbers('/p', { RETRAIN_MLFLOW_PORT: '5100' }, running)).toEqual([17233, 18233, 5100, 8000]);
  });

  it('do not follow servers that are not ours', () => {
    const temporal = { ...running.temporal, address: 'temporal.example:443', startedByUs: false };
    expect(numbers('/p', {}, { ...running, temporal })).toEqual([7233, 8233, 15000, 8000]);
  });

  it.each(['0', '65536', 'http', '70.5', '-1', ''])('refuse the flag %j, by its name', (mlflowPort) => {
    expect(() => stackSettings('/p', {}, null, { mlflowPort })).toThrow(
      `--mlflow-port must be a port from 1 to 65535, got ${mlflowPort}`,
    );
  });

  it('refuse a bad variable, by its name', () => {
    expect(() => stackSettings('/p', { RETRAIN_TEMPORAL_UI_PORT: 'x' }, null)).toThrow(
      /^RETRAIN_TEMPORAL_UI_PORT must be/,
    );
  });

  it('refuse one port for two servers', () => {
    expect(() => stackSettings('/p', {}, null, { mlflowPort: '7233' })).toThrow(
      'port 7233 is given to two servers; move one with --mlflow-port or RETRAIN_MLFLOW_PORT',
    );
  });
});
