import { type InjectedSinks } from '@temporalio/worker';
import { WORKFLOW } from '../../contracts/names';
import { type ObservedSinks } from '../../contracts/observed';
import { type WorkerMetrics } from './worker-metrics';

/** What workflows tell their worker; see workflows/observe.ts. */
export function workflowSinks(metrics: WorkerMetrics): InjectedSinks<ObservedSinks> {
  return {
    observed: {
      workflowEnded: {
        fn: ({ workflowType }, end) =>
          metrics.workflowEnded(workflowType, end, workflowType === WORKFLOW.trainingPipeline),
      },
      noticeGivenUp: { fn: (_info, { channel }) => metrics.noticeGivenUp(channel) },
    },
  };
}
