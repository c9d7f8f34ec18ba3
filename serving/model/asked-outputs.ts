import { listed, RetrainError } from '../../contracts/errors';
import { plainLine } from '../../contracts/plain-words';
import { type GraphValue } from './foreign-graph';
import { type SentTensor } from './onnx-protocol';
import { type Label } from './served-model';

/** Which outputs of a graph are asked for. */
export interface AskedOutputs {
  label: string | null;
  /** One of `[n, K]`, or one of `[n]` for each class, in their order. */
  probabilities: string | readonly string[] | null;
  /** `[n]` or `[n, 1]` */
  values: string | null;
}

/** What an answer looked like. */
export interface Tried {
  width: number;
  /** Whether each row's numbers are shares of one; null: it was a made-up row, and its numbers say nothing. */
  shares: boolean | null;
}

const isNumbers = ({ type }: GraphValue): boolean => type === 'float32' || type === 'float64';

/**
 * By names and types, as scikit-learn's, XGBoost's and LightGBM's converters and our own models have them.
 *
 * @param told the classes, where graph or model directory tell them
 */
export function askedOutputs(outputs: readonly GraphValue[], told: readonly Label[]): AskedOutputs {
  const tensors = outputs.filter(({ type }) => type !== null);
  const labels = tensors.filter((output) => !isNumbers(output));
  const tables = tensors.filter(isNumbers);
  const label = labels.find(({ name }) => /label|class/i.test(name)) ?? labels[0];
  const table = tables.find(({ name }) => /prob/i.test(name)) ?? tables[0];
  if (label !== undefined) {
    const probabilities = columnsByClass(tables, told) ?? table?.name ?? null;
    return { label: label.name, probabilities, values: null };
  }
  if (table !== undefined) return { label: null, probabilities: null, values: table.name };
  throw new RetrainError(
    'MODEL_INVALID',
    `it answers ${plainLine(listed(outputs.map(({ name }) => name)))}, which are no tables of numbers and no labels; expected a label, probabilities or a number for each row`,
  );
}

/**
 * The outputs that hold the probability of one class each, in the order of the classes; null: there are none. skl2onnx writes them so with
 * `zipmap: 'columns'`: i and the number of the class, s and its word, and behind it a number where that name was taken.
 */
function columnsByClass(tables: readonly GraphValue[], classes: readonly Label[]): string[] | null {
  const columns = tables.filter(({ shape }) => shape.length === 1 || shape[1] === 1);
  if (classes.length < 2 || columns.length !== classes.length) return null;
  const names = columns.map(({ name }) => name);
  const found = classes.map((label) => {
    const own = `${typeof label === 'string' ? 's' : 'i'}${String(label)}`;
    const places = [...names.keys()].filter(
      (at) => names[at]!.startsWith(own) && /^\d*$/.test(names[at]!.slice(own.length)),
    );
    return places.find((at) => names[at] === own) ?? places[0];
  });
  // Of i1 and i11 each is one class's own name.
  if (new Set(found).size !== classes.length || found.includes(undefined)) return null;
  return found.map((at) => names[at ?? -1]!);
}

/** The numbers of an answer: those of the classes side by side, `[n, K]`, or the values. */
export function numbersOf(
  said: ReadonlyMap<string, SentTensor>,
  { probabilities, values }: AskedOutputs,
  rows: number,
): SentTensor | undefined {
  if (probabilities === null || typeof probabilities === 'string')
    return said.get(probabilities ?? values ?? '');
  const count = probabilities.length;
  const data = new Float64Array(rows * count);
  for (const [k, name] of probabilities.entries()) {
    const column = said.get(name);
    if (column === undefined) return undefined;
    if (column.data.length !== rows) throw wrongSize(column, rows);
    for (let i = 0; i < rows; i++) data[i * count + k] = Number(column.data[i]);
  }
  return { name: probabilities.join(), type: 'float64', dims: [rows, count], data };
}

/** What the answer to the first rows makes of the outputs. */
export function decide(
  asked: AskedOutputs,
  tried: Tried | null,
  told: readonly Label[],
  outputs: readonly GraphValue[],
): { asked: AskedOutputs; classes: readonly Label[] } {
  const name = asked.probabilities ?? asked.values;
  const declared = outputs.find((output) => output.name === name)?.shape[1];
  const width = tried?.width ?? declared ?? 1;
  const numbered = Array.from({ length: width }, (_, k) => k);
  if (asked.label !== null) {
    if (asked.probabilities === null) return { asked, classes: told };
    // A margin for each class is called probabilities, too, by the converters of linear machines.
    if (tried?.shares === false) return { asked: { ...asked, probabilities: null }, classes: told };
    if (typeof asked.probabilities !== 'string' || told.length === width) return { asked, classes: told };
    const whole = outputs.find((output) => output.name === asked.label)?.type !== 'string';
    // Scores of another number than the classes are no probabilities.
    if (told.length > 0 || !whole || width < 2)
      return { asked: { ...asked, probabilities: null }, classes: told };
    return { asked, classes: numbered };
  }
  if (width === 1) return { asked, classes: [] };
  const shares = told.length === width || (told.length === 0 && tried?.shares === true);
  if (shares) {
    const classes = told.length === width ? told : numbered;
    return { asked: { label: null, probabilities: asked.values, values: null }, classes };
  }
  throw new RetrainError(
    'MODEL_INVALID',
    `it answers ${width} numbers for each row, which are no probabilities; expected a label, probabilities or one number`,
  );
}

export const wrongSize = ({ name, data }: SentTensor, expected: number): RetrainError =>
  new RetrainError(
    'MODEL_INVALID',
    `its output ${plainLine(name)} has ${data.length} values, expected ${expected}`,
  );
