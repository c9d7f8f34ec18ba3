import { RetrainError } from '../../contracts/errors';

/** A path below the server’s artifact proxy, as one string with `/`. */
export type ProxyPath = string;

/**
 * The proxy path of an `mlflow-artifacts:` URI.
 * @throws RetrainError CONFIG_INVALID for any other scheme: those need credentials of their own that only the server should have
 */
export function proxyPath(uri: string): ProxyPath {
  const match = /^mlflow-artifacts:(?:\/\/[^/]+)?\/+(.*)$/.exec(uri);
  if (match !== null) return clean(match[1] ?? '');
  const scheme = /^[a-z][a-z0-9+.-]*(?=:)/i.exec(uri)?.[0] ?? 'file';
  throw new RetrainError(
    'CONFIG_INVALID',
    `MLflow keeps these artifacts at a ${scheme}: address, expected mlflow-artifacts:; start the server with --serve-artifacts and --artifacts-destination, and use a new experiment`,
  );
}

/** Joins a proxy path or URI with a relative path. */
export function below(root: string, path: string): string {
  const relative = clean(path);
  return relative === '' ? root : `${root.replace(/\/+$/, '')}/${relative}`;
}

/** Refuses what would leave the folder. */
function clean(path: string): string {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) {
    throw new RetrainError(
      'USAGE',
      `${path}: an artifact path must not hold "..", expected a path below its root`,
    );
  }
  return parts.join('/');
}
