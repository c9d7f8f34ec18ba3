import type { BinProfile } from './bin-profile';
import { MAX_BINS } from './bins';
import type { NodeRows } from './split-finder';

/** Up to this many rows, sorting them is quicker than a histogram. */
const SORTED_ROWS = 24;

/** Profiles a feature within a node of a regression: draws and sums of targets per bin. */
export class ValueProfiler {
  private readonly counts = new Int32Array(MAX_BINS);
  private readonly sums = new Float64Array(MAX_BINS);
  private readonly rowsOf = new Int32Array(MAX_BINS);
  private readonly keys = new Int32Array(SORTED_ROWS);

  profile(feature: number, node: NodeRows, bins: { count: number; missing: boolean }, out: BinProfile): void {
    out.clear();
    if (node.to - node.from <= SORTED_ROWS) this.sort(feature, node, out);
    else {
      this.accumulate(feature, node);
      this.read(bins.count, out);
    }
    if (bins.missing && out.size > 0 && out.bins[0] === 0) out.takeMissing();
  }

  private accumulate(feature: number, { place, rows, from, to }: NodeRows): void {
    const column = place.columns[feature]!;
    const { payload, targets } = place;
    const { counts, sums, rowsOf } = this;
    for (let i = from; i < to; i++) {
      const row = rows[i]!;
      const bin = column[row]!;
      counts[bin]! += payload[row]!;
      sums[bin]! += targets[row]!;
      rowsOf[bin]! += 1;
    }
  }

  private read(count: number, out: BinProfile): void {
    const { counts, sums, rowsOf } = this;
    let size = 0;
    for (let bin = 0; bin < count; bin++) {
      if (rowsOf[bin] === 0) continue;
      out.bins[size] = bin;
      out.counts[size] = counts[bin]!;
      out.sums[size] = sums[bin]!;
      out.rows[size] = rowsOf[bin]!;
      size++;
      counts[bin] = 0;
      sums[bin] = 0;
      rowsOf[bin] = 0;
    }
    out.size = size;
  }

  /** Insertion sort of the rows by bin; a key is the bin and the row's place in the node, in bits. */
  private sort(feature: number, { place, rows, from, to }: NodeRows, out: BinProfile): void {
    const column = place.columns[feature]!;
    const { keys } = this;
    for (let i = from; i < to; i++) {
      const key = (column[rows[i]!]! << 8) | (i - from);
      let j = i - from;
      while (j > 0 && keys[j - 1]! > key) {
        keys[j] = keys[j - 1]!;
        j--;
      }
      keys[j] = key;
    }
    let size = -1;
    let last = -1;
    for (let i = 0; i < to - from; i++) {
      const bin = keys[i]! >>> 8;
      const row = rows[from + (keys[i]! & 255)]!;
      if (bin !== last) {
        last = bin;
        size++;
        out.bins[size] = bin;
        out.counts[size] = 0;
        out.sums[size] = 0;
        out.rows[size] = 0;
      }
      out.counts[size]! += place.payload[row]!;
      out.sums[size]! += place.targets[row]!;
      out.rows[size]! += 1;
    }
    out.size = size + 1;
  }
}
