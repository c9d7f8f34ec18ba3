// A thread that bins columns and grows trees for `growForest`: it takes both from counters in shared memory, so that
// no thread waits for another while there is work.
import { parentPort, workerData } from 'node:worker_threads';
import { binColumn } from './bins';
import { Grower } from './grower';
import { leafWidthOf, splitFinderFor } from './targets';
import type { FromThread, ThreadData, ToThread } from './thread-messages';

const { table, codes, targets, settings, counters } = workerData as ThreadData;

function send(message: FromThread, transfer: ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, transfer);
}

function binColumns(): void {
  const { rows, features, values } = table;
  for (let f = Atomics.add(counters, 0, 1); f < features; f = Atomics.add(counters, 0, 1)) {
    const bins = binColumn(
      values.subarray(f * rows, (f + 1) * rows),
      codes.subarray(f * rows, (f + 1) * rows),
    );
    send({ kind: 'bins', feature: f, bins });
  }
}

parentPort?.on('message', ({ bins }: ToThread) => {
  const binned = { rows: table.rows, features: table.features, codes, bins, values: table.values };
  const finder = splitFinderFor(targets, binned, settings);
  const grower = new Grower(binned, finder, settings, leafWidthOf(targets));
  for (let t = Atomics.add(counters, 1, 1); t < settings.trees; t = Atomics.add(counters, 1, 1)) {
    const grown = grower.grow(t);
    const { feature, threshold, child, missingLeft, values } = grown.tree;
    const arrays = [feature, threshold, child, missingLeft, values, grown.importances];
    send(
      { kind: 'tree', number: t, grown },
      arrays.map((array) => array.buffer as ArrayBuffer),
    );
  }
});

binColumns();
