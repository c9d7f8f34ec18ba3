import { proxyActivities, setCurrentDetails } from '@temporalio/workflow';
import { type CollectActivities, type CollectedDay, type CollectUnit } from '../contracts/collect';
import { collecting } from './activity-options';
import { dayLine } from './collect-board';

const { fetchDay } = proxyActivities<CollectActivities>({
  ...collecting,
  summary: 'fetch, check, put the file in its place',
});

/** One day of one source: the one that writes its file, whoever asked for it. */
export async function collectDay(unit: CollectUnit): Promise<CollectedDay> {
  const day = await fetchDay(unit);
  setCurrentDetails(dayLine(day));
  return day;
}
