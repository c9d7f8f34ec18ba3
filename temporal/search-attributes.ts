import type { Connection } from '@temporalio/client';
import { RetrainError } from '../contracts/errors';
import { SEARCH_ATTRIBUTE } from '../contracts/names';
import { awayReason } from './outlast';

/** Types of our search attributes, as `--search-attribute` and the operator service name them. */
export const SEARCH_ATTRIBUTE_TYPES: Readonly<Record<string, 'Keyword' | 'Bool'>> = Object.fromEntries(
  Object.values(SEARCH_ATTRIBUTE).map((name) => [
    name,
    name === SEARCH_ATTRIBUTE.promoted ? 'Bool' : 'Keyword',
  ]),
);

/** Numbers of temporal.api.enums.v1.IndexedValueType. */
const INDEXED_VALUE_TYPE = { Keyword: 2, Bool: 5 } as const;

/** gRPC's ALREADY_EXISTS. */
const ALREADY_EXISTS = 6;

/**
 * Registers our search attributes where they are missing: a start that sets an unknown one is refused. For
 * servers that we did not start; safe to repeat, also by several processes at once.
 *
 * @returns the names that were added
 * @throws RetrainError TEMPORAL_REFUSED when one exists with another type, or the server lets us add none
 */
export async function ensureSearchAttributes(connection: Connection, namespace: string): Promise<string[]> {
  const { customAttributes } = await connection.operatorService
    .listSearchAttributes({ namespace })
    .catch((error: unknown) => refused(namespace, error));
  const missing: Record<string, number> = {};
  for (const [name, type] of Object.entries(SEARCH_ATTRIBUTE_TYPES)) {
    const seen = customAttributes?.[name];
    if (seen == null) missing[name] = INDEXED_VALUE_TYPE[type];
    else if (Number(seen) !== INDEXED_VALUE_TYPE[type]) {
      throw new RetrainError(
        'TEMPORAL_REFUSED',
        `search attribute ${name} of namespace ${namespace} has type number ${seen}, expected ${type}; choose another namespace`,
      );
    }
  }
  if (Object.keys(missing).length === 0) return [];
  await connection.operatorService
    .addSearchAttributes({ namespace, searchAttributes: missing })
    .catch((error: unknown) => {
      if ((error as { code?: number }).code !== ALREADY_EXISTS) refused(namespace, error);
    });
  return Object.keys(missing);
}

function refused(namespace: string, error: unknown): never {
  // A server that is just starting, or a proxy before one that is away, refuses nothing: the error of the connection tells.
  if (awayReason(error) !== null) throw error;
  const { details, message } = error as { details?: string; message?: string };
  const commands = Object.entries(SEARCH_ATTRIBUTE_TYPES)
    .map(([name, type]) => `--name ${name} --type ${type}`)
    .join(' ');
  throw new RetrainError(
    'TEMPORAL_REFUSED',
    `search attributes of namespace ${namespace} cannot be registered: ${details ?? message ?? String(error)}; ask its administrator for: temporal operator search-attribute create ${commands}`,
    { cause: error },
  );
}
