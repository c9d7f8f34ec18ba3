import { listed, RetrainError } from '../../contracts/errors';
import { plainLine } from '../../contracts/plain-words';
import { FLOAT32_MAX } from '../../ml/dataset/cell';
import { type Column } from '../../ml/dataset/raw-table';
import { type GraphValue } from './foreign-graph';
import { type ModelCard, type SignatureInput } from './model-card';
import { type SentTensor, type TensorType } from './onnx-protocol';
import { type Batch, type FieldType, type ModelField } from './served-model';

/** One input of a graph, and the fields that it is made of, by their places. */
interface InputPlan {
  name: string;
  type: TensorType;
  fields: readonly number[];
  /** Whether its tensor is `[n]` and not `[n, k]`. */
  flat: boolean;
}

/** How rows become the inputs of a graph. */
export interface GraphColumns {
  fields: readonly ModelField[];
  inputs: readonly InputPlan[];
}

/** A field as the signature has it, before the graph has had its say. */
interface Wanted {
  name: string;
  type: FieldType | null;
  optional: boolean;
  nullable: boolean;
}

/** Columns of one input at most: a graph may claim any width. */
const MOST_COLUMNS = 100_000;

/**
 * Works out which columns a graph takes: by name where it has an input for each, else side by side in the order of the signature.
 *
 * @throws RetrainError MODEL_INVALID when signature and graph do not fit
 */
export function graphColumns(graph: readonly GraphValue[], card: ModelCard): GraphColumns {
  const inputs = graph.map((input) => ({ ...input, type: typeOf(input) }));
  const wanted = wantedFields(inputs, card);
  const byName = inputs.map(({ name, shape }) => ((shape[1] ?? 1) === 1 ? placeOf(name, wanted) : -1));
  const named = byName.every((place) => place >= 0) && new Set(byName).size === byName.length;
  const plans: InputPlan[] = [];
  let next = 0;
  for (const [i, { name, type, shape }] of inputs.entries()) {
    const flat = shape.length === 1;
    if (named) {
      plans.push({ name, type, flat, fields: [byName[i]!] });
      continue;
    }
    const width = flat ? 1 : (shape[1] ?? (inputs.length === 1 ? wanted.length : 1));
    plans.push({ name, type, flat, fields: Array.from({ length: width }, (_, k) => next + k) });
    next += width;
  }
  const used = new Set(plans.flatMap((plan) => plan.fields));
  if (!named && (next !== wanted.length || used.size !== wanted.length))
    throw doesNotFit(inputs, wanted, next);
  // A column of the signature that no input takes would be asked for in vain.
  const kept = wanted.map((_, place) => place).filter((place) => used.has(place));
  const typeAt = new Map(plans.flatMap(({ type, fields }) => fields.map((place) => [place, type] as const)));
  const places = new Map(kept.map((place, at) => [place, at]));
  return {
    fields: kept.map((place) => fieldOf(wanted[place]!, typeAt.get(place)!)),
    inputs: plans.map((plan) => ({ ...plan, fields: plan.fields.map((place) => places.get(place)!) })),
  };
}

/** skl2onnx writes an underscore for what is no letter or digit in a column's name. */
function placeOf(input: string, wanted: readonly Wanted[]): number {
  const exact = wanted.findIndex(({ name }) => name === input);
  return exact >= 0 ? exact : wanted.findIndex(({ name }) => name.replace(/\W/g, '_') === input);
}

function typeOf({ name, type, shape }: GraphValue): TensorType {
  if (type !== null && shape.length >= 1 && shape.length <= 2 && (shape[1] ?? 1) <= MOST_COLUMNS) return type;
  throw new RetrainError(
    'MODEL_INVALID',
    `its input ${plainLine(name)} is no column and no table of numbers or texts; expected inputs of the shape [rows, columns]`,
  );
}

const LARGEST: Record<TensorType, number> = {
  float32: FLOAT32_MAX,
  float64: Number.MAX_VALUE,
  int32: 2 ** 31 - 1,
  int64: Number.MAX_SAFE_INTEGER,
  bool: 1,
  string: Infinity,
};

function wantedFields(
  inputs: readonly GraphValue[],
  { inputs: signature, ours, example }: ModelCard,
): Wanted[] {
  if (ours !== null) {
    return ours.columns.map((name) => ({ name, type: null, optional: false, nullable: true }));
  }
  const specs = signature?.flatMap((spec, at) =>
    fieldsOfSpec(spec, at, signature.length, inputs, example.columns),
  );
  if (specs !== undefined && specs.length > 0) return specs;
  return inputs.flatMap(({ name, shape }) =>
    columnsOf(name, shape[1] ?? null, inputs.length, example.columns).map((column) => ({
      ...PLAIN,
      name: column,
    })),
  );
}

const PLAIN = { type: null, optional: false, nullable: false } as const;

const OF_COLUMN: Readonly<Record<string, FieldType>> = {
  boolean: 'boolean',
  integer: 'integer',
  long: 'integer',
  float: 'number',
  double: 'number',
  string: 'text',
};

function fieldsOfSpec(
  spec: SignatureInput,
  at: number,
  count: number,
  inputs: readonly GraphValue[],
  names: readonly string[] | null,
): Wanted[] {
  if ('tensor-spec' in spec) {
    const { shape } = (spec as { 'tensor-spec': { shape: number[] } })['tensor-spec'];
    const input = inputs.find(({ name }) => name === spec.name) ?? inputs[at];
    const told = shape.length < 2 ? 1 : (shape.at(-1) ?? -1);
    const width = told > 0 ? told : (input?.shape[1] ?? null);
    const name = spec.name ?? input?.name ?? 'x';
    return columnsOf(name, width, count, names).map((column) => ({ ...PLAIN, name: column }));
  }
  const type = OF_COLUMN[spec.type];
  if (type === undefined) {
    throw new RetrainError(
      'MODEL_INVALID',
      `its signature has ${plainLine(spec.name ?? `column ${at + 1}`)} of the type ${plainLine(spec.type)}, expected one of ${Object.keys(OF_COLUMN).join(', ')}`,
    );
  }
  const optional = spec['required'] === false;
  return [{ name: spec.name ?? names?.[at] ?? `x${at}`, type, optional, nullable: optional }];
}

/** Names for the columns of an input: its own where it is one column, the example's, or x0, x1, … as scikit-learn has them. */
function columnsOf(
  input: string,
  width: number | null,
  inputs: number,
  names: readonly string[] | null,
): string[] {
  if (width === null && inputs === 1 && names !== null) return [...names];
  if (width === null) {
    throw new RetrainError(
      'MODEL_INVALID',
      `neither its signature nor its graph tells how many columns ${plainLine(input)} has; log it again with infer_signature(X, y)`,
    );
  }
  if (width > MOST_COLUMNS) throw new RetrainError('MODEL_INVALID', `its signature has ${width} columns`);
  if (inputs === 1 && names?.length === width) return [...names];
  if (width === 1) return [input];
  const prefix = inputs === 1 ? 'x' : `${input}_`;
  return Array.from({ length: width }, (_, k) => `${prefix}${k}`);
}

function fieldOf({ name, type, optional, nullable }: Wanted, tensor: TensorType): ModelField {
  const text = tensor === 'string';
  if (type !== null && (type === 'text') !== text) {
    throw new RetrainError(
      'MODEL_INVALID',
      `its signature has ${plainLine(name)} as ${type}, and its graph takes ${tensor} there; log it again with the signature of what it takes`,
    );
  }
  const whole = tensor === 'int32' || tensor === 'int64';
  const decided: FieldType = text
    ? 'text'
    : tensor === 'bool'
      ? 'boolean'
      : whole
        ? 'integer'
        : (type ?? 'number');
  // Only a float can say that it is missing, and a text by being empty.
  const gap = text || tensor === 'float32' || tensor === 'float64';
  return {
    ...{ name, type: decided, optional: optional && gap, nullable: nullable && gap, levels: null },
    ...(text ? {} : { largest: LARGEST[tensor] }),
  };
}

function doesNotFit(inputs: readonly GraphValue[], wanted: readonly Wanted[], width: number): RetrainError {
  const names = (of: readonly { name: string }[]): string => plainLine(listed(of.map(({ name }) => name)));
  return new RetrainError(
    'MODEL_INVALID',
    `its signature has ${wanted.length} columns (${names(wanted)}), and its graph takes ${width} (inputs ${names(inputs)}); log it again with the signature of what it takes`,
  );
}

/** Rows `from` to `to` of a batch as the graph takes them. */
export function tensorsOf(
  { inputs }: GraphColumns,
  { columns }: Batch,
  from: number,
  to: number,
): SentTensor[] {
  const rows = to - from;
  return inputs.map(({ name, type, fields, flat }): SentTensor => {
    const width = fields.length;
    const dims = flat ? [rows] : [rows, width];
    const size = rows * width;
    const parts = fields.map((field) => columns[field]!);
    switch (type) {
      case 'string':
        return { name, type, dims, data: textsOf(parts, from, to) };
      case 'int64': {
        const numbers = filled(new Float64Array(size), parts, from, to);
        return { name, type, dims, data: BigInt64Array.from(numbers, (value) => BigInt(value)) };
      }
      case 'float64':
        return { name, type, dims, data: filled(new Float64Array(size), parts, from, to) };
      case 'int32':
        return { name, type, dims, data: filled(new Int32Array(size), parts, from, to) };
      case 'bool':
        return { name, type, dims, data: filled(new Uint8Array(size), parts, from, to) };
      case 'float32':
        return { name, type, dims, data: filled(new Float32Array(size), parts, from, to) };
    }
  });
}

function filled<T extends Float32Array | Float64Array | Int32Array | Uint8Array>(
  into: T,
  parts: readonly Column[],
  from: number,
  to: number,
): T {
  for (const [f, column] of parts.entries()) {
    if (column.kind !== 'number') throw wrongKind(column, 'numbers');
    for (let row = from, at = f; row < to; row++, at += parts.length) into[at] = column.values[row]!;
  }
  return into;
}

function textsOf(parts: readonly Column[], from: number, to: number): string[] {
  const texts = new Array<string>((to - from) * parts.length);
  for (const [f, column] of parts.entries()) {
    if (column.kind !== 'text') throw wrongKind(column, 'texts');
    for (let row = from, at = f; row < to; row++, at += parts.length) {
      texts[at] = column.levels[column.codes[row]!] ?? '';
    }
  }
  return texts;
}

const wrongKind = ({ name, kind }: Column, expected: string): RetrainError =>
  new RetrainError(
    'MODEL_INVALID',
    `it takes ${expected} in the column ${name}, and the rows have ${kind}s there`,
  );
