import { randomUUID } from 'node:crypto';
import path from 'node:path';
import {
  type CollectedDay,
  type CollectRequest,
  type FailedDay,
  type SourceDays,
} from '../../contracts/collect';
import { type CollectParams } from '../../contracts/collect-params';
import { isHttp } from '../../contracts/collect-source';
import { isGivenUp } from '../../contracts/collect-faults';
import { listed, RetrainError } from '../../contracts/errors';
import { type Params } from '../../contracts/params';
import { type CollectDeps, collectDay } from './collect-day';
import { daysToCollect } from './days';
import { requireApart } from './folders';
import { SourceRecords } from './record';

/**
 * Which days of which sources are to be collected. Reads only.
 *
 * @param paramsPath for messages
 * @throws RetrainError CONFIG_INVALID without `collect` in params.yaml; USAGE for a source or days that there are not
 */
export async function planCollection(
  project: string,
  params: Params,
  paramsPath: string,
  request: CollectRequest,
  now: Date,
): Promise<SourceDays[]> {
  const collect = collectOf(params, paramsPath);
  const names = Object.keys(collect.sources);
  if (request.source !== undefined && !Object.hasOwn(collect.sources, request.source)) {
    throw new RetrainError(
      'USAGE',
      `there is no source ${request.source.slice(0, 60)} in ${paramsPath}; expected one of ${listed(names)}`,
    );
  }
  return Promise.all(
    Object.entries(collect.sources)
      .filter(([name]) => request.source === undefined || request.source === name)
      .map(async ([name, source]) => {
        const records = new SourceRecords(path.join(project, collect.records, name));
        const collected = await records.days();
        const open = await records.open(collected.slice(-MOST_OPEN));
        const rules = { now, timezone: collect.timezone, catch_up: collect.catch_up };
        const days = daysToCollect(name, source, { collected, open }, rules, request);
        return isHttp(source) || source.queue === undefined ? days : { ...days, queue: source.queue };
      }),
  );
}

/** Of older days nobody expects more. */
const MOST_OPEN = 31;

/** @throws RetrainError CONFIG_INVALID */
export function collectOf({ collect, data }: Params, paramsPath: string): CollectParams {
  if (collect === undefined) {
    throw new RetrainError(
      'CONFIG_INVALID',
      `${paramsPath} has no sources to collect from; expected collect: {sources: {prices: {url: "https://api.example.com/prices?day={day}", columns: {card: text, price: number}}}}`,
    );
  }
  requireApart(data, collect);
  return collect;
}

export interface CollectionHooks {
  signal?: AbortSignal;
  onDay?: (day: CollectedDay) => void;
  onFailed?: (day: FailedDay) => void;
}

/**
 * Collects day by day, source by source, in this process. A source that fails keeps no other from its turn.
 *
 * @param by who collects; see `DayQuestion`
 */
export async function collectSources(
  deps: CollectDeps,
  params: Params,
  paramsPath: string,
  request: CollectRequest,
  now: Date,
  hooks: CollectionHooks = {},
  by: string = randomUUID(),
): Promise<{ days: CollectedDay[]; failed: FailedDay[]; left: number }> {
  const collect = collectOf(params, paramsPath);
  const plan = await planCollection(deps.project, params, paramsPath, request, now);
  const found = { days: [] as CollectedDay[], failed: [] as FailedDay[], left: 0 };
  for (const planned of plan) {
    const source = collect.sources[planned.source];
    if (source === undefined) continue;
    found.left += planned.left;
    const failed: FailedDay[] = [];
    for (const day of planned.days) {
      if (isGivenUp(planned.inOrder, failed)) break;
      try {
        const done = await collectDay(deps, {
          name: planned.source,
          source,
          collect,
          day,
          now,
          by,
          signal: hooks.signal,
        });
        found.days.push(done);
        hooks.onDay?.(done);
      } catch (error) {
        hooks.signal?.throwIfAborted();
        if (!(error instanceof RetrainError)) throw error;
        const failure = { source: planned.source, day, code: error.code, message: error.message };
        failed.push(failure);
        hooks.onFailed?.(failure);
      }
    }
    found.failed.push(...failed);
  }
  return found;
}
