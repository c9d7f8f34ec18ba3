/** The type of a target's labels in Python, by its NumPy name. */
export type LabelType = 'int64' | 'float64' | 'bool' | 'str';

/**
 * What pandas makes of a column that holds just these labels: 0 and 1 are whole numbers, True and False are booleans. So `predict`
 * answers what the user's own column holds, and `(predicted == y).mean()` is the accuracy. A label that would not come back as the
 * same text, such as 007 or 1.50, makes all of them texts.
 */
export function labelType(classes: readonly string[]): LabelType {
  if (classes.length === 0) return 'str';
  if (classes.every((label) => /^(0|-?[1-9]\d{0,14})$/.test(label))) return 'int64';
  if (classes.every(isDecimal)) return 'float64';
  if (classes.every((label) => /^(true|false)$/i.test(label))) return 'bool';
  return 'str';
}

/** `0.5`, `2.0`, `3`: a number that is written in its shortest form, whole ones with or without `.0`. */
function isDecimal(label: string): boolean {
  return /^-?\d+(\.\d+)?$/.test(label) && String(Number(label)) === label.replace(/\.0$/, '');
}
