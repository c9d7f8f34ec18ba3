import { RetrainError } from '../../contracts/errors';
import { type InputColumn } from '../../contracts/stage';
import { CellRules } from './cell';
import { preparedNames } from './prepare';
import { type TextColumn } from './raw-table';
import { requireRoom, shownGib, SMALLER } from './room';

/** A column of 0 and 1 for each of more levels than these is an id, or better one number. */
const MOST_ONE_HOT = 1000;

/** float32 as the trees see it, and once more while a model is written. */
const BYTES_PER_PREPARED = 8;

/** Fewer classes than this may be numbers. */
const MANY_CLASSES = 30;

/** @throws RetrainError DATA_INVALID for a one-hot column of too many levels; DATA_TOO_LARGE for all of them together. */
export function requireFewLevels(
  file: string,
  inputs: readonly InputColumn[],
  rows: number,
  memoryBytes: number | undefined,
): void {
  for (const input of inputs) {
    if (input.kind !== 'category' || input.encoding !== 'one-hot' || input.levels.length <= MOST_ONE_HOT)
      continue;
    throw new RetrainError(
      'DATA_INVALID',
      `${file}: column "${input.name}" has ${input.levels.length} levels, and one-hot makes a column of each, expected at most ${MOST_ONE_HOT}; encode it as one number (preprocess.encode: { ${JSON.stringify(input.name)}: ordinal }), or drop it`,
    );
  }
  requireRoom(file, rows, inputs.length, memoryBytes);
  const columns = preparedNames(inputs).length;
  const need = rows * columns * BYTES_PER_PREPARED;
  if (memoryBytes === undefined || need <= memoryBytes) return;
  throw new RetrainError(
    'DATA_TOO_LARGE',
    `${file}: ${rows} rows become ${columns} columns, which need ${shownGib(need)} of the ${shownGib(memoryBytes)} that a stage may take; encode columns of many levels as ordinal, or ${SMALLER}`,
  );
}

/** @throws RetrainError DATA_INVALID for a target of numbers, most of which occur once or have fractions: no classes. */
export function requireClasses(file: string, { name, codes, levels }: TextColumn): void {
  if (levels.length <= MANY_CLASSES) return;
  const rules = new CellRules();
  if (!levels.every((level) => typeof rules.parseNumber(level) === 'number')) return;
  const counts = new Uint32Array(levels.length);
  for (const code of codes) if (code >= 0) counts[code]!++;
  const singles = counts.filter((count) => count === 1).length;
  if (levels.every((level) => Number.isInteger(Number(level))) && singles * 2 < levels.length) return;
  throw new RetrainError(
    'DATA_INVALID',
    `${file}: column "${name}" holds ${levels.length} different numbers in ${codes.length} rows, which are no classes; for a number to predict, set task: regression`,
  );
}
