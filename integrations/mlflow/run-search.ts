import { z } from 'zod';
import { RUN_TAG } from '../../contracts/names';
import { type MlflowRun, runFrom, RunReply } from './run-record';
import type { MlflowTransport } from './transport';

const Page = z.looseObject({
  runs: z.array(RunReply).default([]),
  next_page_token: z.string().optional(),
});

export interface RunQuery {
  experimentIds: string[];
  /** In MLflow’s search language; quote values with `quoted`. */
  filter: string;
  orderBy: string[];
  /** At most so many. */
  limit: number;
}

/** A string literal of MLflow’s search language. It has no escape for its own quote, so the other kind is used. */
export function quoted(value: string): string {
  return value.includes("'") ? `"${value.replaceAll('"', '')}"` : `'${value}'`;
}

/** Active (not deleted) runs that match, page by page. */
export async function searchRuns(
  transport: MlflowTransport,
  query: RunQuery,
  signal?: AbortSignal,
): Promise<MlflowRun[]> {
  const found: MlflowRun[] = [];
  let token: string | undefined;
  do {
    const page = await transport.post(
      'runs/search',
      {
        experiment_ids: query.experimentIds,
        filter: query.filter,
        order_by: query.orderBy,
        run_view_type: 'ACTIVE_ONLY',
        max_results: Math.min(query.limit - found.length, 1000),
        ...(token === undefined ? {} : { page_token: token }),
      },
      Page,
      { signal },
    );
    found.push(...page.runs.map(runFrom));
    token = page.next_page_token === '' ? undefined : page.next_page_token;
  } while (token !== undefined && found.length < query.limit);
  return found;
}

/** All active runs of one pipeline key, oldest first; ties by run id, so that everyone sees one order. */
export async function runsOfKey(
  transport: MlflowTransport,
  experimentId: string,
  pipelineKey: string,
  signal?: AbortSignal,
): Promise<MlflowRun[]> {
  const runs = await searchRuns(
    transport,
    {
      experimentIds: [experimentId],
      filter: `tags.${RUN_TAG.pipelineKey} = ${quoted(pipelineKey)}`,
      orderBy: ['attributes.start_time ASC'],
      limit: 10_000,
    },
    signal,
  );
  return runs.sort((a, b) => a.startedAt - b.startedAt || (a.runId < b.runId ? -1 : 1));
}
