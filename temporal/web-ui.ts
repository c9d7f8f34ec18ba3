/**
 * Page of a workflow execution in Temporal's Web UI.
 *
 * @param uiUrl base address without a trailing slash
 * @param runId without it, the page of the latest execution of the id
 */
export function workflowUrl(uiUrl: string, namespace: string, workflowId: string, runId?: string): string {
  const workflow = `${namespaceUrl(uiUrl, namespace)}/workflows/${encodeURIComponent(workflowId)}`;
  return runId === undefined ? workflow : `${workflow}/${encodeURIComponent(runId)}/history`;
}

/** Page of a schedule in Temporal's Web UI. */
export function scheduleUrl(uiUrl: string, namespace: string, scheduleId: string): string {
  return `${namespaceUrl(uiUrl, namespace)}/schedules/${encodeURIComponent(scheduleId)}`;
}

function namespaceUrl(uiUrl: string, namespace: string): string {
  return `${uiUrl}/namespaces/${encodeURIComponent(namespace)}`;
}
