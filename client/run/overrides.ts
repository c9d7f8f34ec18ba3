import { parse } from 'yaml';
import { RetrainError } from '../../contracts/errors';
import { type Overrides } from '../../pipeline/run/load-params';

/**
 * `train.n_estimators=200` → `{train: {n_estimators: 200}}`; values are YAML.
 *
 * @throws RetrainError USAGE
 */
export function parseOverrides(assignments: readonly string[]): Overrides {
  const overrides: Record<string, unknown> = {};
  for (const assignment of assignments) {
    const at = assignment.indexOf('=');
    if (at < 1) {
      throw new RetrainError(
        'USAGE',
        `--set takes key=value such as train.n_estimators=200, got ${assignment}`,
      );
    }
    place(overrides, assignment.slice(0, at).split('.'), parse(assignment.slice(at + 1)));
  }
  return overrides;
}

function place(into: Record<string, unknown>, [head = '', ...rest]: string[], value: unknown): void {
  if (rest.length === 0) {
    into[head] = value;
    return;
  }
  const below = into[head];
  const inner: Record<string, unknown> = typeof below === 'object' && below !== null ? { ...below } : {};
  into[head] = inner;
  place(inner, rest, value);
}
