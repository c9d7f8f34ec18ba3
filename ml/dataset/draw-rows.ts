import { eachName, type KeyOrder } from './order-by-key';

/** What a draw goes by. */
export interface Draw {
  /** In which order names are looked at. */
  order: KeyOrder;
  /** `[n]` class numbers; null: all rows count alike. */
  labels: Uint32Array | null;
  /** `[K]` how many rows of each class to draw; one number where rows have no classes. */
  quotas: readonly number[];
}

/**
 * Draws whole names in the order of their keys until each class has its number of rows: the rows with the smallest
 * keys, but that a name with more rows than are still wanted is passed over. A class of which no name was small
 * enough gives its smallest one.
 *
 * So a row's side hangs on its own key and on a border, which further rows move by about √n rows.
 *
 * @returns `[n]` 1 for a row that was drawn
 */
export function drawRows({ order: names, labels, quotas }: Draw): Uint8Array {
  const { order } = names;
  const drawn = new Uint8Array(order.length);
  const left = Int32Array.from(quotas);
  const classOf = (row: number): number => labels?.[row] ?? 0;
  const take = (start: number, end: number): void => {
    for (let place = start; place < end; place++) {
      const row = order[place] ?? 0;
      drawn[row] = 1;
      left[classOf(row)] = (left[classOf(row)] ?? 0) - 1;
    }
  };
  const fits = (start: number, end: number): boolean => {
    if (end - start === 1) return (left[classOf(order[start] ?? 0)] ?? 0) > 0;
    return [...countClasses(order, start, end, classOf)].every(([k, rows]) => rows <= (left[k] ?? 0));
  };
  eachName(names, (start, end) => {
    if (fits(start, end)) take(start, end);
  });
  for (const [k, quota] of quotas.entries()) {
    if (quota < 1 || (left[k] ?? 0) < quota) continue;
    const smallest = smallestName(names, (row) => classOf(row) === k);
    if (smallest !== null) take(...smallest);
  }
  return drawn;
}

/**
 * Deals names out to folds: within each class, in the order of their keys, so many rows to each fold. A name goes
 * where the middle of its rows falls; one with rows of several classes goes by its first row's class.
 *
 * @param sizes `[K][folds]` rows of each class in each fold.
 * @returns `[n]` fold of each row
 */
export function dealRows(
  names: KeyOrder,
  labels: Uint32Array | null,
  sizes: readonly (readonly number[])[],
): Uint32Array {
  const { order } = names;
  const foldOf = new Uint32Array(order.length);
  const dealt = new Float64Array(sizes.length);
  const borders = sizes.map((ofFold) => {
    let sum = 0;
    return ofFold.map((size) => (sum += size));
  });
  eachName(names, (start, end) => {
    const k = labels?.[order[start] ?? 0] ?? 0;
    const middle = (dealt[k] ?? 0) + (end - start - 1) / 2;
    const found = (borders[k] ?? []).findIndex((border) => middle < border);
    const fold = found === -1 ? Math.max(0, (borders[k]?.length ?? 1) - 1) : found;
    for (let place = start; place < end; place++) foldOf[order[place] ?? 0] = fold;
    dealt[k] = (dealt[k] ?? 0) + end - start;
  });
  return foldOf;
}

function countClasses(
  order: Uint32Array,
  start: number,
  end: number,
  classOf: (row: number) => number,
): Map<number, number> {
  const counts = new Map<number, number>();
  for (let place = start; place < end; place++) {
    const k = classOf(order[place] ?? 0);
    counts.set(k, (counts.get(k) ?? 0) + 1);
  }
  return counts;
}

/** Places of the name with the fewest rows, the first of equals, among those with such a row. */
function smallestName(
  names: KeyOrder,
  isWanted: (row: number) => boolean,
): [start: number, end: number] | null {
  let best: [start: number, end: number] | null = null;
  let fewest = Infinity;
  eachName(names, (start, end) => {
    if (end - start >= fewest || !names.order.subarray(start, end).some(isWanted)) return;
    fewest = end - start;
    best = [start, end];
  });
  return best;
}

/** How many names there are of each class; a name with rows of several classes counts for each. `[K]` */
export function namesByClass({ order, ends }: KeyOrder, labels: Uint32Array, classes: number): Uint32Array {
  const counts = new Uint32Array(classes);
  const lastName = new Int32Array(classes).fill(-1);
  let name = 0;
  for (let place = 0; place < order.length; place++) {
    const k = labels[order[place] ?? 0] ?? 0;
    if (lastName[k] !== name) counts[k] = (counts[k] ?? 0) + 1;
    lastName[k] = name;
    name += ends[place] ?? 0;
  }
  return counts;
}
