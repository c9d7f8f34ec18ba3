import { parse } from 'yaml';
import { RetrainError } from '../../contracts/errors';
import { RUN_TAG } from '../../contracts/names';
import { Params } from '../../contracts/params';
import { parseParams } from '../../contracts/parse-params';
import { paramsHash } from '../../ml/hashing/pipeline-key';
import { type MlflowRun } from './run-record';

/**
 * The resolved params of a run: out of its provenance, if its model has one, else put together from the flat params that
 * MLflow shows. Right by the recorded hash, or not at all.
 *
 * @param provenance `externalParameters.params` of the model's provenance.json
 * @throws RetrainError NOT_FOUND when neither gives the params of the recorded hash
 */
export function recordedParams(run: MlflowRun, provenance?: unknown): Params {
  const wanted = run.tags[RUN_TAG.paramsHash];
  const candidates = [
    ...(provenance === undefined ? [] : [provenance]),
    unflattened(run.params, typed),
    // A text such as "1" or "null" was quoted in params.yaml.
    unflattened(run.params, (value) => value),
  ];
  for (const candidate of candidates) {
    const params = ifValid(candidate);
    if (params !== null && paramsHash(params) === wanted) return params;
  }
  throw new RetrainError(
    'NOT_FOUND',
    `the params of the MLflow run ${run.name} cannot be put together again: none fit the recorded hash ${(wanted ?? '(none)').slice(0, 12)}; check out ${run.tags[RUN_TAG.gitCommit] ?? 'its commit'} and use its ${run.tags['mlflow.source.name'] ?? 'params.yaml'}`,
  );
}

function ifValid(candidate: unknown): Params | null {
  try {
    return parseParams(candidate, 'the recorded params');
  } catch (error) {
    if (error instanceof RetrainError) return null;
    throw error;
  }
}

function unflattened(
  flat: Readonly<Record<string, string>>,
  read: (value: string) => unknown,
): Record<string, unknown> {
  const nested: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(flat)) {
    const [top = '', ...rest] = name.split('.');
    // The run has params of other names, too: n_estimators, dataset_hash.
    if (!Object.hasOwn(Params.shape, top)) continue;
    const text = rest.length === 0 && ['model', 'experiment'].includes(top);
    place(nested, [top, ...rest], text ? value : read(value));
  }
  return nested;
}

function place(into: Record<string, unknown>, [head = '', ...rest]: string[], value: unknown): void {
  if (rest.length === 0) {
    into[head] = value;
    return;
  }
  const below = into[head];
  const inner = typeof below === 'object' && below !== null ? (below as Record<string, unknown>) : {};
  into[head] = inner;
  place(inner, rest, value);
}

/** As YAML reads it: numbers, booleans, null, and lists in JSON. */
function typed(value: string): unknown {
  try {
    const read: unknown = parse(value);
    return typeof read === 'object' && read !== null && !/^[[{]/.test(value) ? value : read;
  } catch {
    return value;
  }
}
