import { RetrainError } from '../../contracts/errors';

/** What the SDK’s errors have in common, and Node’s network errors with them. */
interface S3Error extends Error {
  code?: string;
  $metadata?: { httpStatusCode?: number };
}

/** No such object. A bucket that is missing is another matter. */
export function isNotFound(error: unknown): boolean {
  const { name, $metadata } = error as S3Error;
  return name === 'NoSuchKey' || (name === 'NotFound' && $metadata?.httpStatusCode === 404);
}

/** Turns an error of the SDK into ours: worth another try, or not. RetrainErrors and file errors come through. */
export function asRemoteError(cause: unknown, storage: string): unknown {
  const { name, message, code, $metadata } = cause as S3Error;
  const status = $metadata?.httpStatusCode;
  if (cause instanceof RetrainError || (status === undefined && code?.startsWith('E') && isFileError(cause)))
    return cause;
  const what = `${storage}: ${[status, name, message].filter(Boolean).join(' ')}`;
  if (name === 'CredentialsProviderError') {
    return new RetrainError(
      'REMOTE_REFUSED',
      `${storage}: no credentials (${message}); set them in .dvc/config.local or the environment`,
      { cause },
    );
  }
  if (name === 'BadDigest' || name === 'InvalidDigest')
    return new RetrainError('ARTIFACT_DAMAGED', what, { cause });
  // Somebody else completed the same upload: the object is there, or the next attempt makes it.
  const overtaken = name === 'NoSuchUpload';
  if (overtaken || status === undefined || status === 408 || status === 429 || status >= 500) {
    return new RetrainError('REMOTE_UNREACHABLE', what, { cause });
  }
  const hint =
    status === 401 || status === 403
      ? 'check the credentials of the remote and their permissions'
      : 'check the url, region and endpointurl of the remote';
  return new RetrainError('REMOTE_REFUSED', `${what}; ${hint}`, { cause });
}

function isFileError(error: unknown): boolean {
  return ['ENOENT', 'EACCES', 'EISDIR', 'EMFILE', 'EIO'].includes(
    (error as NodeJS.ErrnoException).code ?? '',
  );
}
