import { RetrainError } from '../../contracts/errors';
import { type InputColumn } from '../../contracts/stage';
import { preparedNames } from '../dataset/prepare';
import { MAX_FEATURES, type Forest, type Tree } from '../forest/forest';
import { TreeWriter } from '../forest/tree-writer';
import { decodeTrees, TREE_TABLES } from './decode-trees';
import { guessRawColumns } from './decode-raw-columns';
import { encodeOnnx, ONNX_INPUT, ONNX_LABEL, type OnnxNames } from './encode';
import { floatsOf, type GraphParts, graphParts, type NodePart } from './graph-parts';
import { eachField, firstOf, textOf } from './protobuf-reader';

/** A model file read back. */
export interface DecodedModel {
  forest: Forest;
  names: OnnxNames;
}

/**
 * Reads a model file that `encodeOnnx` made of a forest back into the forest; undefined for any other file, which is left
 * to an ONNX runtime. That nothing but the trees was overlooked is shown by writing a forest of one leaf with the same
 * names and inputs: it must give the same file, byte for byte, but for the tables of the trees; those are read by
 * `decodeTrees`, which checks each entry.
 */
export function decodeOnnx(model: Uint8Array): DecodedModel | undefined {
  try {
    const graph = graphParts(model);
    const ensemble = graph.nodes.find(({ op }) => op === 'TreeEnsembleRegressor');
    if (ensemble === undefined) return undefined;
    const names = namesOf(graph);
    const forest = shapeOf(graph, ensemble, names);
    const twin = encodeOnnx({ ...forest, trees: [oneLeaf(forest)] }, names);
    if (!sameButTrees(model, twin)) return undefined;
    return { names, forest: { ...forest, trees: decodeTrees(ensemble.attributes, forest) } };
  } catch (error) {
    const foreign = error instanceof RangeError || error instanceof SyntaxError;
    if (foreign || (error instanceof RetrainError && error.code === 'MODEL_INVALID')) return undefined;
    throw error;
  }
}

function namesOf(graph: GraphParts): OnnxNames {
  const names = {
    featureNames: listOf(graph, 'feature_names') ?? [],
    classLabels: listOf(graph, 'class_labels') ?? [],
    modelName: graph.name,
  };
  const [first] = graph.inputs;
  const dense = graph.inputs.length === 1 && first?.name === ONNX_INPUT && first.shape[1] !== 1;
  return dense ? names : { ...names, inputs: requireFew(guessRawColumns(graph)) };
}

/** @throws RangeError when they become more columns than trees can name */
function requireFew(inputs: InputColumn[]): InputColumn[] {
  const width = inputs.reduce(
    (sum, input) =>
      sum + (input.kind === 'category' && input.encoding === 'one-hot' ? input.levels.length : 1),
    0,
  );
  if (width > MAX_FEATURES) throw new RangeError('there are too many prepared columns');
  return inputs;
}

/** A list of texts in the file's metadata. */
function listOf({ metadata }: GraphParts, key: string): string[] | undefined {
  const json = metadata.get(key);
  if (json === undefined) return undefined;
  const list: unknown = JSON.parse(json);
  if (Array.isArray(list) && list.every((item) => typeof item === 'string')) return list;
  throw new RangeError(`${key} is no list of texts`);
}

/** All of the forest but its trees. */
function shapeOf(graph: GraphParts, { attributes, output }: NodePart, names: OnnxNames): Forest {
  const outputs = attributeInt(attributes.get('n_targets'));
  const average = attributeText(attributes.get('aggregate_function')) === 'AVERAGE';
  const classification = graph.outputs[0]?.name === ONNX_LABEL;
  const ops = new Set(graph.nodes.map(({ op }) => op));
  const base = graph.nodes.find(({ op, inputs }) => op === 'Add' && inputs[0] === output)?.inputs[1];
  // One value per output: that many are in the file, whatever n_targets says.
  const most = classification ? names.classLabels.length : 1;
  if (outputs < 1 || outputs > most) throw new RangeError('the outputs do not fit');
  return {
    kind: 'forest',
    task: classification ? 'classification' : 'regression',
    features: names.inputs === undefined ? names.featureNames.length : preparedNames(names.inputs).length,
    classes: names.classLabels.length,
    outputs,
    leafWidth: average ? outputs : 1,
    aggregate: average ? 'average' : 'sum',
    link: ops.has('Softmax') ? 'softmax' : ops.has('Sigmoid') ? 'sigmoid' : 'none',
    baseScore: base === undefined ? new Float32Array(outputs) : baseOf(graph, base, outputs),
    trees: [],
  };
}

function baseOf({ constants }: GraphParts, name: string, outputs: number): Float32Array {
  const base = floatsOf(constants.get(name));
  if (base.length === outputs) return base;
  throw new RangeError('the base scores do not fit');
}

const attributeInt = (attribute: Uint8Array | undefined): number =>
  attribute === undefined ? 0 : (firstOf(attribute, 3)?.int ?? 0);

const attributeText = (attribute: Uint8Array | undefined): string =>
  attribute === undefined ? '' : textOf(attribute, 4);

function oneLeaf({ leafWidth }: Forest): Tree {
  const writer = new TreeWriter(leafWidth);
  writer.leaf(0, new Float32Array(leafWidth));
  return writer.finish();
}

/** Field numbers of the way down to an attribute: the graph of a model, its nodes, their attributes. */
const GRAPH = 7;
const NODE = 1;
const ATTRIBUTE = 5;
/** And of an attribute. */
const NAME = 1;
const TYPE = 20;

/** Whether two model files agree in all but the content of the attributes that hold trees. */
function sameButTrees(model: Uint8Array, twin: Uint8Array): boolean {
  return sameFields(model, twin, GRAPH, (graph, twinGraph) =>
    sameFields(graph, twinGraph, NODE, (node, twinNode) => sameFields(node, twinNode, ATTRIBUTE, sameTable)),
  );
}

/** Whether two attributes are the same table of trees, each with content of its own, which comes last. */
function sameTable(attribute: Uint8Array, twin: Uint8Array): boolean {
  const fields = eachField(attribute);
  const twins = eachField(twin);
  for (const expected of [NAME, TYPE]) {
    const field = fields.next().value;
    const other = twins.next().value;
    if (field?.number !== expected || field.wire !== other?.wire || field.int !== other.int) return false;
    if (Buffer.compare(field.bytes, other.bytes) !== 0) return false;
  }
  return TREE_TABLES.includes(textOf(twin, NAME));
}

/**
 * Whether two messages have the same fields in the same order.
 * @param inside says so of contents that differ, of the fields numbered `number`
 */
function sameFields(
  one: Uint8Array,
  other: Uint8Array,
  number: number,
  inside: (one: Uint8Array, other: Uint8Array) => boolean,
): boolean {
  const others = eachField(other);
  for (const field of eachField(one)) {
    const twin = others.next().value;
    if (twin?.number !== field.number || twin.wire !== field.wire || twin.int !== field.int) return false;
    if (Buffer.compare(field.bytes, twin.bytes) === 0) continue;
    if (field.number !== number || !inside(field.bytes, twin.bytes)) return false;
  }
  return others.next().done === true;
}
