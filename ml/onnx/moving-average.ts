import type { MovingAverage } from '../moving-average/moving-average';
import { intAttribute } from './attribute';
import type { Graph } from './graph';

/**
 * Adds a moving average: `[N, d]` float in, `[N, 1]` out. The sum of the columns that are there by how many there are; where there is
 * none, the fallback.
 */
export function addMovingAverage(graph: Graph, model: MovingAverage, input: string, output: string): string {
  const columns = graph.intConstant('lags', [model.columns.length], [...model.columns]);
  const zero = graph.floatConstant('zero', [], Float32Array.of(0));
  const one = graph.floatConstant('one', [], Float32Array.of(1));
  const axes = graph.intConstant('lag_axis', [1], [1]);
  const lags = graph.node('Gather', [input, columns], 'lagged', [intAttribute('axis', 1)]);
  const missing = graph.node('IsNaN', [lags], 'missing');
  const sum = graph.node('ReduceSum', [graph.node('Where', [missing, zero, lags], 'present'), axes], 'sum');
  const count = graph.node(
    'ReduceSum',
    [graph.node('Where', [missing, zero, one], 'counted'), axes],
    'count',
  );
  const mean = graph.node('Div', [sum, graph.node('Max', [count, one], 'divisor')], 'mean');
  const fallback = graph.floatConstant('fallback', [], Float32Array.of(model.fallback));
  return graph.node('Where', [graph.node('Greater', [count, zero], 'any'), mean, fallback], output);
}
