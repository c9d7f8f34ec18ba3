import { type InputColumn } from '../../contracts/stage';
import { MAX_FEATURES } from '../forest/forest';
import { floatsOf, type GraphParts, type NodePart } from './graph-parts';
import { contentsOf } from './protobuf-reader';

type NumberInput = InputColumn & { kind: 'number' };

/**
 * Guesses the raw columns that `addRawColumns` made a graph's inputs and its first nodes from. It is right for graphs that
 * `addRawColumns` made; whether a graph is one, writing it again shows.
 *
 * @throws RangeError when it can be none
 */
export function guessRawColumns(graph: GraphParts): InputColumn[] {
  const columns = graph.inputs.map(({ name, element }): InputColumn =>
    element === 'string'
      ? { kind: 'category', name, encoding: 'one-hot', levels: [] }
      : { kind: 'number', name, min: null, max: null, impute: null },
  );
  if (columns.length > MAX_FEATURES) throw new RangeError('there are too many columns');
  const byName = new Map(columns.map((column) => [column.name, column]));
  const blocks = new NumberBlocks(byName, graph);
  const compared = new Set(graph.nodes.filter(({ op }) => op === 'Equal').map(({ inputs }) => inputs[0]));
  for (const node of graph.nodes) {
    if (node.op === 'LabelEncoder') readLevels(node, byName, compared);
    else blocks.read(node);
  }
  return columns;
}

/** What may be done to a block of numbers: raised, lowered, imputed. */
const MOST_STEPS = 3;

/** Takes what the nodes of numbers that stand side by side do to them, block after block. */
class NumberBlocks {
  /** By the name of the values that are a block of numbers: its columns, and the steps so far. */
  private readonly blocks = new Map<string, { columns: NumberInput[]; steps: number }>();
  private readonly tests: ReadonlyMap<string, string>;

  constructor(
    byName: ReadonlyMap<string, InputColumn>,
    private readonly graph: GraphParts,
  ) {
    for (const column of byName.values()) {
      if (column.kind === 'number') this.blocks.set(column.name, { columns: [column], steps: 0 });
    }
    for (const { op, inputs, output } of graph.nodes) {
      if (op !== 'Concat') continue;
      const columns = inputs.map((name) => byName.get(name)).filter((one) => one?.kind === 'number');
      if (columns.length === inputs.length) this.blocks.set(output, { columns, steps: 0 });
    }
    this.tests = new Map(graph.nodes.map(({ op, output }) => [output, op]));
  }

  read({ op, inputs, output }: NodePart): void {
    // Where(Less(values, low), low, values): the block goes by the name of the result from here on.
    const [tested = '', constant = '', values = ''] = inputs;
    const block = this.blocks.get(values);
    if (op !== 'Where' || block === undefined) return;
    if (++block.steps > MOST_STEPS) throw new RangeError('there are too many steps');
    const test = this.tests.get(tested);
    const numbers = floatsOf(this.graph.constants.get(constant));
    if (numbers.length !== block.columns.length) throw new RangeError('a constant is of another length');
    for (const [i, column] of block.columns.entries()) {
      const number = numbers[i]!;
      if (test === 'Less' && number !== -Infinity) column.min = number;
      if (test === 'Greater' && number !== Infinity) column.max = number;
      if (test === 'IsNaN' && !Number.isNaN(number)) column.impute = number;
    }
    this.blocks.set(output, block);
  }
}

/** Levels of a column at most. */
const MOST_LEVELS = 1_000_000;

function readLevels(
  { inputs, output, attributes }: NodePart,
  byName: ReadonlyMap<string, InputColumn>,
  compared: ReadonlySet<string | undefined>,
): void {
  const column = byName.get(inputs[0] ?? '');
  const keys = attributes.get('keys_strings');
  if (column?.kind !== 'category' || keys === undefined) throw new RangeError('an encoder has no column');
  const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
  const texts = contentsOf(keys, 9);
  if (texts.length > MOST_LEVELS) throw new RangeError('there are too many levels');
  const levels = texts.map((text) => utf8.decode(text));
  const unknown = levels.length === 1 && levels[0] === '';
  // We take the first of equal levels and none for the empty text; what a runtime does is its own affair.
  if (!unknown && (levels.includes('') || new Set(levels).size < levels.length)) {
    throw new RangeError('a level is empty or comes twice');
  }
  column.levels = unknown ? [] : levels;
  column.encoding = compared.has(output) ? 'one-hot' : 'ordinal';
}
