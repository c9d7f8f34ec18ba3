/** The thread that writes a prediction log: takes what waited, answers with what came of it, one order at a time. */
import { parentPort, workerData } from 'node:worker_threads';
import { type KnownDays, keepOrder } from './keep-order';
import { FeedbackMatcher } from './match-feedback';
import { type ThreadData, type WriteOrder, type WriteReport } from './pending-rows';
import { writeLabels, writePredictions } from './write-segments';

/** How often small files are merged and old days removed. */
const ORDER_EVERY_MS = 20_000;

const { dir, retentionDays } = workerData as ThreadData;
const known: KnownDays = { settled: new Set() };
const matcher = new FeedbackMatcher(dir);
let orderedAt = -Infinity;

async function carryOut({ kind, now, predictions, labels }: WriteOrder): Promise<WriteReport> {
  const report: WriteReport = { written: 0, dropped: 0, trouble: null, judged: [] };
  for (const pending of predictions) {
    await attempt(report, pending.rows, () => writePredictions(dir, pending, now));
  }
  if (labels.length > 0) {
    await attempt(report, 0, async () => {
      await writeLabels(dir, labels, now);
      matcher.add(labels);
    });
  }
  if (kind === 'close' || Math.abs(now - orderedAt) >= ORDER_EVERY_MS) {
    orderedAt = now;
    await attempt(report, 0, () => keepOrder(dir, retentionDays, now, known));
  }
  await attempt(report, 0, async () => {
    report.judged = await matcher.step();
  });
  return report;
}

/** Rows that could not be written are lost: to keep them would fill the memory while the disk is full. */
async function attempt(report: WriteReport, rows: number, work: () => Promise<void>): Promise<void> {
  try {
    await work();
    report.written += rows;
  } catch (error) {
    report.dropped += rows;
    report.trouble ??= error instanceof Error ? error.message : String(error);
  }
}

parentPort?.on('message', (order: WriteOrder) => {
  void carryOut(order).then((report) => parentPort?.postMessage(report));
});
