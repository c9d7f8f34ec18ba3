import { type StageProgress } from '../../contracts/stage';
import { type Screen } from './screen';
import { LiveLines } from './live-lines';
import { heartbeatNote } from './stage-lines';

/** Shows how far something is. */
export interface ProgressLine {
  show(progress: StageProgress): void;
  /** The next line comes below. */
  end(): void;
}

/** One line that is drawn over itself on a terminal; elsewhere a line for each new phase. */
export function progressLine(screen: Screen, title: string): ProgressLine {
  const live = new LiveLines(screen);
  let phase = '';
  return {
    show: (progress) => {
      live.draw([`  ${title}  ${heartbeatNote(progress)}`]);
      if (!screen.live && progress.phase !== phase) screen.err(`${title}: ${progress.phase}`);
      phase = progress.phase;
    },
    end: () => live.keep(),
  };
}
