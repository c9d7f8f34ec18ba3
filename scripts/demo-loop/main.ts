/**
 * `make demo-loop`: 180 days of card prices in minutes. Each day is collected, predicted, told what it came to, and looked at; what drifts on
 * day 90 and day 140 is alarmed, trained on, contested, served. The days are inputs: nothing waits, and no clock of the machine is read.
 *
 *   node dist/scripts/demo-loop/main.js [--days 180] [--first 60] [--shift 90:level=1.6]… [--within 10] [--dir .retrain/demo-loop]
 *
 * Ends with 1 when the story did not come true: no alarm within so many days of a shift, no new version, or not the production one served.
 */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { loopParams } from './loop-params';
import { Playground } from './playground';
import { playThrough } from './play-through';
import { findings, page, shiftOf, shortfalls } from './page';

/** What is known to change, and when: what the alarms are held against. */
const SHIFTS = ['90:level=1.6', '140:promotions=5'];

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      days: { type: 'string', default: '180' },
      first: { type: 'string', default: '60' },
      shift: { type: 'string', multiple: true, default: SHIFTS },
      within: { type: 'string', default: '10' },
      dir: { type: 'string', default: path.join('.retrain', 'demo-loop') },
    },
  });
  const shifts = values.shift.map(shiftOf);
  const began = performance.now();
  const playground = await Playground.open(path.resolve(values.dir), values.shift, loopParams);
  try {
    const story = await playThrough(playground, {
      days: Number(values.days),
      first: Number(values.first),
      onDay: (line) => process.stderr.write(`${line}\n`),
    });
    const found = findings(story, shifts);
    process.stdout.write(page(story, found, (performance.now() - began) / 1000));
    for (const what of shortfalls(story, found, Number(values.within))) {
      console.error(`not as it should be: ${what}`);
      process.exitCode = 1;
    }
  } finally {
    playground.close();
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
