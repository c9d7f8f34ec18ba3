import { Registry } from '../../../integrations/mlflow/registry';
import { plainExchange } from '../../../integrations/mlflow/plain-exchange';
import { mlflowSettings } from '../../../integrations/mlflow/settings';
import { MlflowTransport } from '../../../integrations/mlflow/transport';
import { type Act, json, scriptedServer, type ScriptedServer } from './scripted-server';

let server: ScriptedServer;
let transport: MlflowTransport;
let registry: Registry;

beforeAll(async () => {
  server = await scriptedServer();
  transport = new MlflowTransport(mlflowSettings({ MLFLOW_TRACKING_URI: server.uri }), plainExchange(), {
    attempts: 1,
    firstWaitMs: 1,
    longestWaitMs: 1,
  });
  registry = new Registry(transport);
});
afterAll(async () => {
  await transport.close();
  await server.close();
});

const noAlias = json(400, {
  error_code: 'INVALID_PARAMETER_VALUE',
  message: 'Registered model alias production not found.',
});
const gone = json(404, {
  error_code: 'RESOURCE_DOES_NOT_EXIST',
  message: 'Model Version (name=iris, version=2) not found',
});
const model = (version?: string): Act =>
  json(200, {
    registered_model: {
      name: 'iris',
      aliases: version === undefined ? [] : [{ alias: 'production', version }],
    },
  });
const version = (number: string): Act => json(200, { model_version: { name: 'iris', version: number } });

describe('findByAlias', () => {
  test('finds the alias that another run sets right after the server has said that there is none', async () => {
    server.script(noAlias, model('2'), version('2'));
    expect(await registry.findByAlias('iris', 'production')).toMatchObject({ version: '2' });
  });

  test('finds the alias that moves from a version that is deleted meanwhile', async () => {
    server.script(noAlias, model('2'), gone, model('3'), version('3'));
    expect(await registry.findByAlias('iris', 'production')).toMatchObject({ version: '3' });
  });

  test('is null where no alias is set, and where it points to a version that is gone', async () => {
    server.script(noAlias, model());
    expect(await registry.findByAlias('iris', 'production')).toBeNull();
    server.script(noAlias, model('2'), gone, model('2'), gone, model('2'), gone);
    expect(await registry.findByAlias('iris', 'production')).toBeNull();
  });
});
