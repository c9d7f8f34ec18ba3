import { type TrainingResult } from '../../contracts/run';
import { type ClientConfig } from '../config';
import { tellingInterceptor } from '../../temporal/outlast';
import { followRun, type Patience, type RunView, type Watcher } from './follow-run';
import { withTemporal } from './temporal-session';
import { LiveLines } from '../terminal/live-lines';
import { paint, screen } from '../terminal/screen';
import { stageLine, stageLines } from '../terminal/stage-lines';

/**
 * Waits for a run; shows its stages, live on a terminal, as plain lines elsewhere, not at all when `quiet`. That the server is away
 * is told on stderr in any case.
 *
 * @throws RetrainError when it failed (with its reason), was cancelled or terminated; WAIT_TIMED_OUT
 */
export async function watchRun(
  config: ClientConfig,
  run: { workflowId: string; workflowRunId: string },
  { quiet, timeoutMs }: { quiet: boolean; timeoutMs: number | null },
): Promise<TrainingResult> {
  const watcher: Watcher = {
    show: screen.live ? liveView() : plainView(),
    idle: () =>
      screen.err(
        paint.bad(
          `no worker has taken up the run yet; is one polling ${config.taskQueue}? Start one: npm run worker, or retrain up`,
        ),
      ),
  };
  const patience: Patience = {
    away: (reason) =>
      screen.err(paint.busy(`Temporal is away (${reason}); the run goes on, waiting for both`)),
    back: () => screen.err(paint.good('Temporal is back')),
    timeoutMs,
  };
  const result = await withTemporal(
    config,
    ({ client }) => followRun(client, run, quiet ? null : watcher, patience),
    { interceptors: [tellingInterceptor()] },
  );
  if (!quiet) screen.err('');
  return result;
}

function liveView(): (view: RunView) => void {
  const lines = new LiveLines(screen);
  return ({ progress, heartbeats }) => lines.draw(stageLines(progress, heartbeats, Date.now()));
}

/** A line for each stage that starts or ends. */
function plainView(): (view: RunView) => void {
  const known = new Map<string, string>();
  return ({ progress }) => {
    for (const stage of progress.stages) {
      if (stage.state === 'waiting' || known.get(stage.stage) === stage.state) continue;
      known.set(stage.stage, stage.state);
      screen.err(stageLine(stage));
    }
  };
}
