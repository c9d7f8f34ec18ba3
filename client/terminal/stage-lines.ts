import { type PipelineProgress, type StageView } from '../../contracts/progress';
import { type StageProgress } from '../../contracts/stage';
import { duration } from './duration';
import { aligned, paint } from './screen';

const STATE_PAINT: Record<StageView['state'], (text: string) => string> = {
  waiting: paint.dim,
  running: paint.busy,
  done: paint.good,
  failed: paint.bad,
  skipped: paint.dim,
};

/**
 * The stages of a run as aligned lines: state, stage, time, note.
 *
 * @param heartbeats Latest progress by activity type, for the stages that run.
 * @param now Epoch ms, for the time that a running stage has taken so far.
 */
export function stageLines(
  progress: PipelineProgress,
  heartbeats: ReadonlyMap<string, StageProgress>,
  now: number,
): string[] {
  return aligned(
    progress.stages.map((view) => [
      `  ${STATE_PAINT[view.state](view.state)}`,
      view.stage,
      elapsed(view, now),
      view.state === 'running' ? heartbeatNote(heartbeats.get(view.stage)) : (view.note ?? ''),
    ]),
  );
}

/** One line for a stage that has just changed, where lines cannot be rewritten. */
export function stageLine(view: StageView): string {
  const time =
    view.startedAt !== undefined && view.endedAt !== undefined
      ? ` in ${duration(view.endedAt - view.startedAt)}`
      : '';
  return `${view.stage}: ${view.state}${time}${view.note === undefined ? '' : `, ${view.note}`}`;
}

function elapsed({ startedAt, endedAt }: StageView, now: number): string {
  return startedAt === undefined ? '' : duration(Math.max(0, (endedAt ?? now) - startedAt));
}

/** `growing trees 40/100`, with a bar. */
export function heartbeatNote(progress: StageProgress | undefined): string {
  if (progress === undefined) return '';
  const { phase, done, total } = progress;
  if (done === undefined) return phase;
  if (total === undefined || total === 0) return `${phase} ${done}`;
  const filled = Math.round((20 * Math.min(done, total)) / total);
  return `${'━'.repeat(filled)}${paint.dim('─'.repeat(20 - filled))} ${phase} ${done}/${total}`;
}
