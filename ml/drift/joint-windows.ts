import { type Column, takeColumn } from '../dataset/raw-table';
import { Random } from '../random/random';
import { fTail } from './f-tail';
import { jointDrift } from './joint';
import { drawRows } from './reservoir';
import { type Windows } from './windows';

/** Windows side by side without which nobody knows how well a forest tells one from the others. */
export const JOINT_WINDOWS = 8;

/**
 * By what chance a forest tells rows of now from the training rows so well where nothing has drifted: it is asked the same of windows of the training
 * period, spread over it, each against what is more than a window away from it. A day is known by what happened on it, so half is not what is usual.
 * Student's t of one window more (Student, 1908).
 *
 * @param found the area of now
 * @param rowsNow as many rows of a window are taken
 */
export async function jointByWindows(
  reference: readonly Column[],
  { stepOf, steps, length }: Windows,
  found: number,
  rowsNow: number,
  options: { leastAuc: number; seed: number; signal?: AbortSignal },
): Promise<number> {
  const areas: number[] = [];
  for (let i = 0; i < JOINT_WINDOWS; i++) {
    const from = Math.round((i * (steps - length)) / (JOINT_WINDOWS - 1));
    const inside: number[] = [];
    const rest: number[] = [];
    stepOf.forEach((step, row) => {
      if (step >= from && step < from + length) inside.push(row);
      else if (step < from - length || step >= from + 2 * length) rest.push(row);
    });
    if (inside.length === 0 || rest.length === 0) continue;
    const some = drawRows(inside.length, rowsNow, new Random(options.seed, i));
    const rows = Uint32Array.from(some, (at) => inside[at]!);
    const others = Uint32Array.from(rest);
    const { auc } = await jointDrift(
      reference.map((column) => takeColumn(column, others)),
      reference.map((column) => takeColumn(column, rows)),
      { ...options, seed: options.seed + i + 1 },
    );
    areas.push(auc);
  }
  const n = areas.length;
  if (n < 2) return 1;
  const mean = areas.reduce((sum, area) => sum + area, 0) / n;
  const variance = areas.reduce((sum, area) => sum + (area - mean) ** 2, 0) / (n - 1);
  if (found <= mean) return 1;
  const t = (found - mean) ** 2 / (Math.max(variance, 1e-6) * (1 + 1 / n));
  return fTail(t, 1, n - 1) / 2;
}
