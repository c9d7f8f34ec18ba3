import { RetrainError } from '../../contracts/errors';

/** HTTP status of an error of the engine's API; undefined for an error of the connection. */
export function statusOf(error: unknown): number | undefined {
  const status = (error as { statusCode?: unknown }).statusCode;
  return typeof status === 'number' ? status : undefined;
}

/**
 * An error of the client as one of ours: the engine is away (retried), or it refused (not retried, unless it says 5xx).
 *
 * @param doing `start the container of train`
 */
export function engineError(error: unknown, doing: string, shown: string): RetrainError {
  if (error instanceof RetrainError) return error;
  const status = statusOf(error);
  const reason = firstLine(error);
  if (status === undefined) {
    return new RetrainError(
      'DOCKER_UNREACHABLE',
      `cannot ${doing}: no Docker engine answers at ${shown} (${reason}); start it, or correct DOCKER_HOST`,
      { cause: error },
    );
  }
  return new RetrainError(
    status >= 500 ? 'STAGE_FAILED' : 'DOCKER_REFUSED',
    `cannot ${doing}: the Docker engine answered ${status}: ${reason}`,
    { cause: error },
  );
}

/** The engine's own words, on one line of at most 300 characters. */
function firstLine(error: unknown): string {
  const json = (error as { json?: { message?: unknown } }).json?.message;
  const text =
    typeof json === 'string'
      ? json
      : error instanceof Error
        ? error.message || String((error as NodeJS.ErrnoException).code ?? error.name)
        : String(error);
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > 300 ? `${line.slice(0, 299)}…` : line;
}
