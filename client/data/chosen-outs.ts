import { RetrainError } from '../../contracts/errors';

/**
 * Those that a command was asked for: at, or below, one of the paths, or of a stage of that name.
 *
 * @throws RetrainError NOT_FOUND for one that names nothing
 */
export function chosen<T extends { path: string; recordedIn?: string }>(
  outs: readonly T[],
  wanted: readonly string[],
): T[] {
  const names = wanted.map((name) => name.replace(/^\.\//, '').replace(/(\.dvc|\/)$/, ''));
  const matches = (out: T, name: string): boolean =>
    out.path === name ||
    out.path.startsWith(`${name}/`) ||
    (out.recordedIn?.endsWith(`dvc.lock: ${name}`) ?? false);
  const [unknown] = names.filter((name) => !outs.some((out) => matches(out, name)));
  if (unknown !== undefined) {
    throw new RetrainError(
      'NOT_FOUND',
      `${unknown} is not tracked, neither by a .dvc file nor by dvc.lock; list what is: retrain data status`,
    );
  }
  return names.length === 0 ? [...outs] : outs.filter((out) => names.some((name) => matches(out, name)));
}
