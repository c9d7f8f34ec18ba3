import { CLIP, type LinearModel } from '../linear/linear-model';
import type { Graph } from './graph';

/** Adds a logistic regression: `[N, d]` float in, raw scores `[N, outputs]` out. Missing values are taken at the mean. */
export function addLinear(graph: Graph, model: LinearModel, input: string, output: string): string {
  const { features, outputs } = model;
  const mean = graph.floatConstant('mean', [features], model.mean);
  const scale = graph.floatConstant('scale', [features], model.scale);
  const low = graph.floatConstant('clip_low', [], Float32Array.of(-CLIP));
  const high = graph.floatConstant('clip_high', [], Float32Array.of(CLIP));
  const zero = graph.floatConstant('zero', [], Float32Array.of(0));
  const centred = graph.node('Sub', [input, mean], 'centred');
  const scaled = graph.node('Mul', [centred, scale], 'scaled');
  // After scaling: an infinite value of a constant feature, scaled by 0, is missing too.
  const missing = graph.node('IsNaN', [scaled], 'missing');
  const present = graph.node('Where', [missing, zero, scaled], 'present');
  const z = graph.node('Clip', [present, low, high], 'standardised');
  const weights = graph.floatConstant('weights', [features, outputs], model.weights);
  const bias = graph.floatConstant('bias', [outputs], model.bias);
  const product = graph.node('MatMul', [z, weights], 'product');
  return graph.node('Add', [product, bias], output);
}
