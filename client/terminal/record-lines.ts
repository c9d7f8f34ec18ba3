import { recordedTables } from '../../integrations/mlflow/registered-run';
import { type Recorded } from '../reproduce/record';
import { aligned, paint } from './screen';

/** How a model version came to be, for people. */
export function recordLines(recorded: Recorded): string[] {
  const { model, version, aliases, git, data, params, metrics, mlflowRunId, codeHash } = recorded;
  const leaves = flat(params).map(([key, value]) => [`  ${key}`, value]);
  return [
    paint.strong(`${model} v${version}${aliases.length === 0 ? '' : ` (${aliases.join(', ')})`}`),
    ...aligned([
      [
        paint.dim('  commit'),
        git.commit === ''
          ? 'none: it was trained outside a git repository'
          : `${git.commit}${git.branch === '' ? '' : ` (${git.branch})`}${git.dirty ? paint.bad(', with changes that were not committed') : ''}`,
      ],
      ...recordedTables(data).map(({ path, sha256, md5 }) => [
        paint.dim('  data'),
        `${path}, SHA-256 ${sha256}, MD5 ${md5}`,
      ]),
      [paint.dim('  code'), codeHash],
      [paint.dim('  MLflow run'), mlflowRunId],
    ]),
    '',
    paint.strong('Metrics'),
    ...aligned(Object.entries(metrics).map(([name, value]) => [`  ${name}`, String(value)])),
    '',
    paint.strong(`Params (${recorded.paramsPath})`),
    ...aligned(leaves),
  ];
}

/** What to type to do by hand what `--run` does. */
export function stepLines({ model, version, git }: Recorded, updated: boolean): string[] {
  const steps = [
    ...(git.commit === '' ? [] : [[`git checkout ${git.commit}`, 'the code']]),
    ['npm ci && npm run build', ''],
    [`make restore MODEL=${model}@${version}`, 'the data, and the model as it is registered'],
    ...(updated ? [] : [[`retrain reproduce ${model}@${version} --update-params`, 'the params']]),
    ['make run ARGS=--force', 'train'],
    [`git checkout ${git.branch === '' ? '-' : git.branch}`, 'return'],
  ];
  return [
    paint.strong('By hand'),
    ...aligned(steps.map(([step = '', why = '']) => [`  ${step}`, paint.dim(why === '' ? '' : `# ${why}`)])),
    '',
    `Or in a clean checkout, with a verdict: retrain reproduce ${model}@${version} --run`,
  ];
}

function flat(value: object, prefix = ''): [string, string][] {
  return Object.entries(value).flatMap(([key, member]: [string, unknown]): [string, string][] => {
    const name = `${prefix}${key}`;
    if (typeof member === 'object' && member !== null && !Array.isArray(member))
      return flat(member, `${name}.`);
    return [[name, typeof member === 'string' ? member : JSON.stringify(member)]];
  });
}
