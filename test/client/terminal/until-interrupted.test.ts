import { setTimeout as sleep } from 'node:timers/promises';
import { untilInterrupted } from '../../../client/terminal/until-interrupted';

test('hundreds may listen to an interruption, and nobody is warned of a leak', async () => {
  const warnings: string[] = [];
  const note = (warning: Error): void => void warnings.push(warning.name);
  process.on('warning', note);
  try {
    await untilInterrupted('the transfer', async (signal) => {
      for (let transfer = 0; transfer < 300; transfer++) signal.addEventListener('abort', () => undefined);
      await sleep(20);
    });
    expect(warnings).toEqual([]);
  } finally {
    process.off('warning', note);
  }
});
