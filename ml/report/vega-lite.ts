import { curvePlots } from './curve-plots';
import { type PermutationImportances } from '../../contracts/stage';
import { type PlotData } from './plot';
import { type ReportInput } from './report-input';

/** A Vega-Lite specification; plain JSON. */
export type VegaLite = Readonly<Record<string, unknown>>;

const SCHEMA = 'https://vega.github.io/schema/vega-lite/v5.json';

/** The plots of the report as Vega-Lite, by name, with their data in them: for notebooks and dashboards. */
export function vegaLitePlots(input: ReportInput): Record<string, VegaLite> {
  const plots = curvePlots(input).map((data) => [data.name, specOf(data)] as const);
  const importances = input.training?.importances ?? [];
  const permuted = input.evaluation.importances;
  return Object.fromEntries([
    ...plots,
    ...(importances.length === 0 ? [] : [['importances', importancesSpec(importances)] as const]),
    ...(permuted === undefined ? [] : [['permutation-importances', permutedSpec(permuted)] as const]),
  ]);
}

function specOf({ series, options }: PlotData): VegaLite {
  const { title, x, y, domain, range = domain, diagonal } = options;
  const axis = (field: 'x' | 'y', text: string): object => ({
    field,
    type: 'quantitative',
    title: text,
    scale: { domain: field === 'x' ? [...domain] : [...range] },
  });
  const lines = {
    data: {
      values: series.flatMap(({ label, points }) =>
        points.map(([px, py], order) => ({ x: px, y: py, model: label, order })),
      ),
    },
    mark: series.some(({ mark }) => mark === 'dots') ? { type: 'point' } : { type: 'line' },
    encoding: {
      x: axis('x', x),
      y: axis('y', y),
      color: { field: 'model', type: 'nominal', title: null },
      order: { field: 'order', type: 'quantitative' },
    },
  };
  const ideal = {
    data: { values: domain.map((end) => ({ x: end, y: end })) },
    mark: { type: 'line', strokeDash: [4, 3], color: '#888' },
    encoding: { x: axis('x', x), y: axis('y', y) },
  };
  return { $schema: SCHEMA, title, layer: diagonal === true ? [ideal, lines] : [lines] };
}

function importancesSpec(values: readonly { feature: string; importance: number }[]): VegaLite {
  return {
    $schema: SCHEMA,
    title: 'Feature importances',
    data: { values },
    mark: { type: 'bar' },
    encoding: {
      y: { field: 'feature', type: 'nominal', sort: '-x', title: null },
      x: { field: 'importance', type: 'quantitative', title: 'share of impurity taken away' },
    },
  };
}

function permutedSpec({ metric, columns }: PermutationImportances): VegaLite {
  const y = { field: 'column', type: 'nominal', sort: '-x', title: null };
  return {
    $schema: SCHEMA,
    title: 'Permutation importances',
    data: {
      values: columns.map(({ column, mean, interval }) => ({
        ...{ column, mean },
        ...(interval === undefined ? {} : { low: interval[0], high: interval[1] }),
      })),
    },
    layer: [
      {
        mark: 'bar',
        encoding: { y, x: { field: 'mean', type: 'quantitative', title: `fall of ${metric}` } },
      },
      { mark: 'rule', encoding: { y, x: { field: 'low', type: 'quantitative' }, x2: { field: 'high' } } },
    ],
  };
}
