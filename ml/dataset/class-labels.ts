import { RetrainError } from '../../contracts/errors';
import { byCodePoint } from './code-point-order';

/** More than this is a number or an id, not a class; also the limit of the forest. */
export const MAX_CLASSES = 1000;

/**
 * Numbers the labels: classes sorted by code point, the index is the class number.
 *
 * @throws RetrainError DATA_INVALID for fewer than 2 or more than 1000 classes.
 */
export function numberLabels(
  labels: readonly string[],
  file: string,
  target: string,
): { classes: string[]; numbers: Uint32Array } {
  const classes = [...new Set(labels)].sort(byCodePoint);
  if (classes.length < 2) {
    throw new RetrainError(
      'DATA_INVALID',
      `${file}: column "${target}" holds one class only ("${classes[0] ?? ''}" in all ${labels.length} rows), expected at least 2`,
    );
  }
  if (classes.length > MAX_CLASSES) {
    throw new RetrainError(
      'DATA_INVALID',
      `${file}: column "${target}" holds ${classes.length} different values, expected at most ${MAX_CLASSES} classes; is it the right target?`,
    );
  }
  const numberOf = new Map(classes.map((name, number) => [name, number]));
  return { classes, numbers: Uint32Array.from(labels, (label) => numberOf.get(label) ?? 0) };
}
