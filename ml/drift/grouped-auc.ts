import { fallingKeys } from '../dataset/number-keys';
import { orderByKey } from '../dataset/order-by-key';

/** An area under the ROC curve, and what each group of rows contributes to its variance. */
export interface GroupedAuc {
  auc: number;
  /** Variance of the area, rows of a group taken as one draw. */
  variance: number;
}

/**
 * Area under the ROC curve with its variance by the rows' placements (DeLong and others, "Comparing the areas under two or more
 * correlated receiver operating characteristic curves", 1988), where rows of a group come or go together (Obuchowski, 1997).
 *
 * @param positive `[n]` 1 or 0, some of each
 * @param scores `[n]`
 * @param groups `[n]` which group a row belongs to
 */
export function groupedAuc(positive: Uint8Array, scores: Float64Array, groups: Uint32Array): GroupedAuc {
  const { order, ends } = orderByKey(fallingKeys(scores));
  const rows = order.length;
  const ones = positive.reduce((sum, one) => sum + one, 0);
  const zeros = rows - ones;
  // Share of the other class that a row is on the right side of, equals counting half.
  const placement = new Float64Array(rows);
  let [above1, above0] = [0, 0];
  for (let from = 0; from < rows;) {
    let to = from;
    while (ends[to] === 0) to++;
    let [ones1, zeros0] = [0, 0];
    for (let i = from; i <= to; i++) {
      if (positive[order[i]!] === 1) ones1++;
      else zeros0++;
    }
    for (let i = from; i <= to; i++) {
      const row = order[i]!;
      placement[row] =
        positive[row] === 1 ? (zeros - above0 - zeros0 + zeros0 / 2) / zeros : (above1 + ones1 / 2) / ones;
    }
    above1 += ones1;
    above0 += zeros0;
    from = to + 1;
  }
  let auc = 0;
  for (let i = 0; i < rows; i++) if (positive[i] === 1) auc += placement[i]! / ones;
  const influence = new Map<number, number>();
  for (let i = 0; i < rows; i++) {
    const part = (placement[i]! - auc) / (positive[i] === 1 ? ones : zeros);
    influence.set(groups[i]!, (influence.get(groups[i]!) ?? 0) + part);
  }
  let variance = 0;
  for (const part of influence.values()) variance += part * part;
  return { auc, variance };
}
