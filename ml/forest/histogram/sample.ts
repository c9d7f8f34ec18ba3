import type { Random } from '../../random/random';

/**
 * Draws the training rows of one tree.
 * @param times `[n]`, out: how often each row was drawn
 */
export function drawRows(times: Uint8Array, draws: number, replace: boolean, random: Random): void {
  const rows = times.length;
  times.fill(0);
  if (replace) {
    const scale = rows / 0x1_0000_0000;
    for (let i = 0; i < draws; i++) {
      const row = Math.floor(random.uint32() * scale);
      // A byte is enough: 255 draws of one row of n ≥ 256 do not happen; of fewer rows they may, and stay at 255.
      if (times[row]! < 255) times[row]! += 1;
    }
    return;
  }
  if (draws >= rows) {
    times.fill(1);
    return;
  }
  // Selection sampling (Knuth, TAOCP 2, algorithm S): each subset of `draws` rows is equally likely.
  for (let row = 0, left = draws; left > 0; row++) {
    if (random.below(rows - row) < left) {
      times[row] = 1;
      left--;
    }
  }
}

/**
 * Lists the rows that were drawn, in order, at the front of `rows` `[n]`.
 * @returns how many there are
 */
export function listDrawn(times: Uint8Array, rows: Int32Array): number {
  let drawn = 0;
  for (let row = 0; row < times.length; row++) {
    // Written anyway, and written over by the next row unless it was drawn: that cannot be predicted.
    rows[drawn] = row;
    drawn = (drawn + Number(times[row]! > 0)) | 0;
  }
  return drawn;
}
