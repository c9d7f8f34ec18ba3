import { type TransferProgress } from '../../integrations/dvc/transfer';
import { LiveLines } from './live-lines';
import { paint, type Screen } from './screen';
import { size } from './size';

/** Where there is no terminal, a transfer is reported this often. */
const STILL_AT_IT_MS = 15_000;

/** Shows a transfer of objects: a bar with bytes and rate on a terminal, a line now and then elsewhere. */
export interface TransferLine {
  show(progress: TransferProgress): void;
  end(): void;
}

/** @param doing `pushing` */
export function transferLine(screen: Screen, doing: string, now: () => number = Date.now): TransferLine {
  const live = new LiveLines(screen);
  const begun = now();
  let told = begun;
  return {
    show: (progress) => {
      const text = transferText(progress, now() - begun);
      live.draw([`  ${doing}  ${bar(progress)} ${text}`]);
      if (screen.live || now() - told < STILL_AT_IT_MS) return;
      told = now();
      screen.err(`${doing}: ${text}`);
    },
    end: () => live.keep(),
  };
}

/** `12/40 objects  3.2 MB of 10 MB  1.1 MB/s` */
export function transferText(progress: TransferProgress, elapsedMs: number): string {
  const { doneObjects, totalObjects, doneBytes, totalBytes } = progress;
  const rate = elapsedMs > 0 ? `  ${size((doneBytes / elapsedMs) * 1000)}/s` : '';
  return `${doneObjects}/${totalObjects} objects  ${size(doneBytes)} of ${size(totalBytes)}${rate}`;
}

function bar({ doneBytes, totalBytes, doneObjects, totalObjects }: TransferProgress): string {
  const share = totalBytes > 0 ? doneBytes / totalBytes : totalObjects > 0 ? doneObjects / totalObjects : 1;
  const filled = Math.round(20 * Math.min(1, Math.max(0, share)));
  return `${'━'.repeat(filled)}${paint.dim('─'.repeat(20 - filled))}`;
}
