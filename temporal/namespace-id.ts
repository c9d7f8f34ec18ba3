import { type Client } from '@temporalio/client';

/** The namespace's own id, which another server with a namespace of the same name does not have. */
export async function namespaceId({ connection, options: { namespace } }: Client): Promise<string> {
  const { namespaceInfo } = await connection.workflowService.describeNamespace({ namespace });
  return namespaceInfo?.id ?? namespace;
}
