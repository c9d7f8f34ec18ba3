import { RetrainError } from '../../contracts/errors';
import { type InputColumn, MODEL_OUTPUT } from '../../contracts/stage';
import { preparedNames } from '../dataset/prepare';
import type { Model } from '../model/model';
import type { MovingAverage } from '../moving-average/moving-average';
import { intAttribute } from './attribute';
import { Graph } from './graph';
import { addLinear } from './linear';
import { addMovingAverage } from './moving-average';
import { addRawColumns } from './raw-columns';
import { addTreeEnsemble } from './tree-ensemble';

/** Names of the graph's values, as callers of a runtime use them. */
export const ONNX_INPUT = 'input';
export const ONNX_LABEL = MODEL_OUTPUT.label;
export const ONNX_PROBABILITIES = MODEL_OUTPUT.probabilities;
export const ONNX_PREDICTION = MODEL_OUTPUT.prediction;

export interface OnnxNames {
  /** `[d]` columns that the trees see, in order; kept in the model's metadata as `feature_names`, JSON. */
  featureNames: readonly string[];
  /** The raw columns that become those: each is an input of its own. Absent: one input takes the d columns as they are. */
  inputs?: readonly InputColumn[];
  /** `[K]` what `label` says for class 0…K-1; empty for regression. */
  classLabels: readonly string[];
  /** Name of the graph. */
  modelName: string;
}

/**
 * Encodes a model as ONNX (IR 7, opset 13, ai.onnx.ml 3). The same model and names give the same bytes.
 *
 * Inputs: one per raw column, as `addRawColumns` says; or, without raw columns, `input`, float `[N, d]`, NaN where a
 * value is missing. Outputs of a classifier: `label`, string `[N]`,
 * and `probabilities`, float `[N, K]`; of a regression: `prediction`, float `[N]`. Equal to `predictBatch` up to
 * float32 sums (1e-6).
 * @throws RetrainError MODEL_INVALID when the names do not fit the model
 */
export function encodeOnnx(model: Model, names: OnnxNames): Uint8Array {
  requireCount('feature names', names.featureNames.length, model.features);
  requireCount('class labels', names.classLabels.length, model.classes);
  const graph = new Graph();
  const input = addInput(graph, model, names.inputs);
  const raw = addModel(graph, model, input, 'raw_scores');
  if (model.task === 'classification') {
    graph.output(ONNX_LABEL, 'string', ['N']);
    graph.output(ONNX_PROBABILITIES, 'float', ['N', model.classes]);
    addProbabilities(graph, model, raw);
    addLabels(graph, names.classLabels);
  } else {
    graph.output(ONNX_PREDICTION, 'float', ['N']);
    addValue(graph, raw);
  }
  return graph.finish(names.modelName, {
    feature_names: JSON.stringify(names.featureNames),
    ...(model.task === 'classification' ? { class_labels: JSON.stringify(names.classLabels) } : {}),
  });
}

function addModel(graph: Graph, model: Model, input: string, output: string): string {
  switch (model.kind) {
    case 'forest':
      return addTreeEnsemble(graph, model, input, output);
    case 'linear':
      return addLinear(graph, model, input, output);
    case 'moving-average':
      return addMovingAverage(graph, model, input, output);
  }
}

function addInput(graph: Graph, model: Model, inputs: readonly InputColumn[] | undefined): string {
  if (inputs === undefined) return graph.input(ONNX_INPUT, 'float', ['N', model.features]);
  requireCount('prepared columns', preparedNames(inputs).length, model.features);
  return addRawColumns(graph, inputs);
}

function addProbabilities(graph: Graph, model: Exclude<Model, MovingAverage>, raw: string): void {
  switch (model.link) {
    case 'none':
      graph.node('Identity', [raw], ONNX_PROBABILITIES);
      return;
    case 'softmax':
      graph.node('Softmax', [raw], ONNX_PROBABILITIES, [intAttribute('axis', 1)]);
      return;
    case 'sigmoid': {
      const positive = graph.node('Sigmoid', [raw], 'positive');
      const one = graph.floatConstant('one', [1], Float32Array.of(1));
      const negative = graph.node('Sub', [one, positive], 'negative');
      graph.node('Concat', [negative, positive], ONNX_PROBABILITIES, [intAttribute('axis', 1)]);
      return;
    }
  }
}

/** The most probable class by name; the first of equals, as in `classNumbers`. */
function addLabels(graph: Graph, labels: readonly string[]): void {
  const number = graph.node('ArgMax', [ONNX_PROBABILITIES], 'class_number', [
    intAttribute('axis', 1),
    intAttribute('keepdims', 0),
  ]);
  const names = graph.stringConstant('class_labels', labels);
  graph.node('Gather', [names, number], ONNX_LABEL);
}

function addValue(graph: Graph, raw: string): void {
  const axes = graph.intConstant('axes', [1], [1]);
  graph.node('Squeeze', [raw, axes], ONNX_PREDICTION);
}

function requireCount(what: string, seen: number, expected: number): void {
  if (seen === expected) return;
  throw new RetrainError(
    'MODEL_INVALID',
    `cannot encode the model: ${seen} ${what}, the model has ${expected}`,
  );
}
