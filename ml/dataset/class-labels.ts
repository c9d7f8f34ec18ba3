import { RetrainError } from '../../contracts/errors';
import { byCodePoint } from './code-point-order';
import { type TextColumn } from './raw-table';

/** More than this is a number or an id, not a class; and each tree keeps a share per class and leaf. */
export const MAX_CLASSES = 1000;

/**
 * Numbers the classes that occur in a target: sorted by code point, the index is the class number.
 *
 * @param target No value of it is missing.
 * @throws RetrainError DATA_INVALID for fewer than 2 or more than 1000 classes.
 */
export function numberClasses(target: TextColumn, file: string): { classes: string[]; numbers: Uint32Array } {
  const { name, codes, levels } = target;
  const occurring = new Uint8Array(levels.length);
  for (let row = 0; row < codes.length; row++) occurring[codes[row]!] = 1;
  const classes = levels.filter((_, code) => occurring[code] === 1).sort(byCodePoint);
  if (classes.length < 2) {
    throw new RetrainError(
      'DATA_INVALID',
      `${file}: column "${name}" holds one class only ("${classes[0] ?? ''}" in all ${codes.length} rows), expected at least 2`,
    );
  }
  if (classes.length > MAX_CLASSES) {
    throw new RetrainError(
      'DATA_INVALID',
      `${file}: column "${name}" holds ${classes.length} different values, expected at most ${MAX_CLASSES} classes; for a number to predict, set task: regression`,
    );
  }
  const numberOf = levels.map((level) => classes.indexOf(level));
  const numbers = new Uint32Array(codes.length);
  for (let row = 0; row < codes.length; row++) numbers[row] = numberOf[codes[row]!] ?? 0;
  return { classes, numbers };
}
