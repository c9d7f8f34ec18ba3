import { below, proxyPath } from '../../../integrations/mlflow/artifact-path';

test.each([
  ['mlflow-artifacts:/1/r/artifacts', '1/r/artifacts'],
  ['mlflow-artifacts:///1/r/artifacts/', '1/r/artifacts'],
  ['mlflow-artifacts://mlflow.example.org:5000/1/r/artifacts', '1/r/artifacts'],
])('%s leads to %s below the proxy', (uri, path) => {
  expect(proxyPath(uri)).toBe(path);
});

test.each([
  ['s3://bucket/1/r/artifacts', 's3:'],
  ['file:///tmp/mlruns/1/r/artifacts', 'file:'],
  ['/tmp/mlruns/1/r/artifacts', 'file:'],
])('%s is refused with the scheme and the way to proxied artifacts', (uri, scheme) => {
  expect(() => proxyPath(uri)).toThrow(scheme);
  expect(() => proxyPath(uri)).toThrow('--serve-artifacts');
});

test('a path below stays below', () => {
  expect(below('mlflow-artifacts:/1/r/artifacts/', '/model//MLmodel')).toBe(
    'mlflow-artifacts:/1/r/artifacts/model/MLmodel',
  );
  expect(below('a', '')).toBe('a');
  expect(() => below('a', 'b/../../c')).toThrow('must not hold ".."');
  expect(() => proxyPath('mlflow-artifacts:/1/../2')).toThrow('must not hold ".."');
});
