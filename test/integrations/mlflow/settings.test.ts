import { inspect } from 'node:util';
import { mlflowSettings } from '../../../integrations/mlflow/settings';

const uri = 'https://dagshub.com/me/iris.mlflow';
const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;

test('the address loses its trailing slash and keeps its path', () => {
  expect(mlflowSettings({ MLFLOW_TRACKING_URI: `${uri}/` })).toMatchObject({ uri, authenticated: false });
});

test('an unset or empty address falls back to the embedded server', () => {
  expect(mlflowSettings({ MLFLOW_TRACKING_URI: '' }, 'http://127.0.0.1:5000').uri).toBe(
    'http://127.0.0.1:5000',
  );
});

test.each([
  [{ MLFLOW_TRACKING_USERNAME: 'ann', MLFLOW_TRACKING_PASSWORD: 'pw' }, uri, basic('ann:pw')],
  [{ MLFLOW_TRACKING_TOKEN: 'tok' }, uri, 'Bearer tok'],
  [
    { MLFLOW_TRACKING_USERNAME: 'ann', MLFLOW_TRACKING_PASSWORD: 'pw', MLFLOW_TRACKING_TOKEN: 'tok' },
    uri,
    basic('ann:pw'),
  ],
  [{ MLFLOW_TRACKING_USERNAME: 'ann', MLFLOW_TRACKING_TOKEN: 'tok' }, uri, 'Bearer tok'],
  [{}, 'https://ann:p%40w@example.org', basic('ann:p@w')],
  [{ MLFLOW_TRACKING_TOKEN: 'tok' }, 'https://ann:pw@example.org', 'Bearer tok'],
  [{}, uri, undefined],
])('credentials are taken in MLflow’s own order (%#)', (env, address, authorization) => {
  const settings = mlflowSettings({ ...env, MLFLOW_TRACKING_URI: address });
  expect(settings.headers()).toEqual(authorization === undefined ? {} : { authorization });
  expect(settings.uri).not.toContain('ann');
});

test('no way of printing the settings shows a secret', () => {
  const settings = mlflowSettings({ MLFLOW_TRACKING_URI: 'https://ann:s3cret@example.org' });
  const encoded = Buffer.from('ann:s3cret').toString('base64');
  const shown = [
    String(settings),
    JSON.stringify({ settings }),
    inspect(settings, { depth: 9, showHidden: true }),
    JSON.stringify(Object.entries(settings)),
  ];
  for (const text of shown) {
    expect(text).toContain('example.org');
    expect(text).not.toContain('s3cret');
    expect(text).not.toContain(encoded);
  }
});

test.each([
  [undefined, 'MLFLOW_TRACKING_URI is not set'],
  ['sqlite:///s3cret.db', 'MLFLOW_TRACKING_URI is a sqlite: URL'],
  ['s3cret', 'MLFLOW_TRACKING_URI is no URL'],
  ['http://ann:s3cret%zz@example.org', 'MLFLOW_TRACKING_URI is no URL'],
])('a wrong address is CONFIG_INVALID and is not quoted (%#)', (value, words) => {
  const read = (): unknown => mlflowSettings({ MLFLOW_TRACKING_URI: value });
  expect(read).toThrow(words);
  expect(read).not.toThrow(/s3cret/);
});
