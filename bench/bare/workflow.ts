import { proxyActivities } from '@temporalio/workflow';

const { nothing } = proxyActivities<{ nothing(): Promise<void> }>({ startToCloseTimeout: '1 minute' });

/** Five empty activities in a row: the least that a pipeline of five stages can cost on this server. */
export async function bare(): Promise<void> {
  for (let i = 0; i < 5; i++) await nothing();
}
