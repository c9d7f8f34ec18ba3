import { type InputColumn } from '../../contracts/stage';
import { floatAttribute, floatsAttribute, intAttribute, stringsAttribute } from './attribute';
import { ML_DOMAIN, type Graph } from './graph';

type NumberInput = InputColumn & { kind: 'number' };
type CategoryInput = InputColumn & { kind: 'category' };

/**
 * Adds one input per raw column, named as the column, and what `prepareMatrix` does to them: `[N, 1]` float for a
 * number, NaN where it is missing; `[N, 1]` string for a text, where the empty one and any that is no level count as
 * missing.
 *
 * Operators: https://onnx.ai/onnx/operators/onnx_aionnxml_LabelEncoder.html
 *
 * @returns Name of the prepared rows, `[N, d]` float.
 */
export function addRawColumns(graph: Graph, inputs: readonly InputColumn[]): string {
  for (const { name, kind } of inputs) graph.input(name, kind === 'number' ? 'float' : 'string', ['N', 1]);
  const blocks: string[] = [];
  for (let start = 0, end = 0; start < inputs.length; start = end) {
    const first = inputs[start];
    const numbers: NumberInput[] = [];
    for (let one = inputs[end]; one?.kind === 'number'; one = inputs[end]) {
      numbers.push(one);
      end++;
    }
    if (numbers.length > 0) blocks.push(addNumbers(graph, numbers));
    else if (first?.kind === 'category') {
      end++;
      if (first.encoding === 'ordinal') blocks.push(addOrdinal(graph, first));
      else if (first.levels.length > 0) blocks.push(addOneHot(graph, first));
    }
  }
  return joined(graph, blocks, 'prepared');
}

/** Numbers that stand side by side, clipped and imputed at once: `[N, k]`. */
function addNumbers(graph: Graph, columns: readonly NumberInput[]): string {
  const shape = [columns.length];
  const constant = (name: string, of: (column: NumberInput) => number): string =>
    graph.floatConstant(name, shape, Float32Array.from(columns, of));
  let values = joined(
    graph,
    columns.map(({ name }) => name),
    'numbers',
  );
  // Not Max and Min, whose result for NaN differs between runtimes: a comparison with NaN is false everywhere.
  if (columns.some(({ min }) => min !== null)) {
    const low = constant('low', ({ min }) => min ?? -Infinity);
    values = graph.node('Where', [graph.node('Less', [values, low], 'below'), low, values], 'raised');
  }
  if (columns.some(({ max }) => max !== null)) {
    const high = constant('high', ({ max }) => max ?? Infinity);
    values = graph.node('Where', [graph.node('Greater', [values, high], 'above'), high, values], 'lowered');
  }
  if (columns.some(({ impute }) => impute !== null)) {
    const substitute = constant('substitute', ({ impute }) => impute ?? Number.NaN);
    values = graph.node('Where', [graph.node('IsNaN', [values], 'absent'), substitute, values], 'imputed');
  }
  return values;
}

/** `[N, 1]`: the index of the level, -1 for none. */
function addOrdinal(graph: Graph, { name, levels }: CategoryInput): string {
  // The operator wants a key; a column without levels maps the empty text to what is the answer anyway.
  const keys = levels.length > 0 ? levels : [''];
  const numbers = levels.length > 0 ? Float32Array.from(levels, (_, index) => index) : Float32Array.of(-1);
  return graph.node(
    'LabelEncoder',
    [name],
    'level',
    [
      stringsAttribute('keys_strings', keys.length, (i) => keys[i] ?? ''),
      floatsAttribute('values_floats', numbers),
      floatAttribute('default_float', -1),
    ],
    ML_DOMAIN,
  );
}

/** `[N, levels]` of 0 and 1. */
function addOneHot(graph: Graph, column: CategoryInput): string {
  const all = Float32Array.from(column.levels, (_, index) => index);
  const numbers = graph.floatConstant('levels', [1, all.length], all);
  const equal = graph.node('Equal', [addOrdinal(graph, column), numbers], 'is_level');
  return graph.node('Cast', [equal], 'one_hot', [intAttribute('to', 1)]);
}

/** Columns side by side; a single one as it is. */
function joined(graph: Graph, columns: readonly string[], name: string): string {
  const [only] = columns;
  if (columns.length === 1 && only !== undefined) return only;
  return graph.node('Concat', columns, name, [intAttribute('axis', 1)]);
}
