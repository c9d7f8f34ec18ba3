import { MlflowLinks } from '../../../integrations/mlflow/links';
import { mlflowSettings } from '../../../integrations/mlflow/settings';

test('links go to the pages of MLflow’s UI, escaped and without credentials', () => {
  const settings = mlflowSettings({ MLFLOW_TRACKING_URI: 'https://ann:s3cret@dagshub.com/me/iris.mlflow' });
  const links = new MlflowLinks(settings);
  const base = 'https://dagshub.com/me/iris.mlflow/#';
  const view = '?workflowType=machine_learning';
  expect(links.experiment('7')).toBe(`${base}/experiments/7${view}`);
  expect(links.run('7', 'abc')).toBe(`${base}/experiments/7/runs/abc${view}`);
  expect(links.model('my model')).toBe(`${base}/models/my%20model${view}`);
  expect(links.version('my model', '2')).toBe(`${base}/models/my%20model/versions/2${view}`);
});
