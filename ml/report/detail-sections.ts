import { type Evaluation, type Scores, type TableProfile, type TrainingNotes } from '../../contracts/stage';
import { figure, metricFigure, percent } from './figures';
import { type Markup, markup, NOTHING } from './markup';
import { bars, spark } from './plot';
import { type ReportInput } from './report-input';

const MOST_CLASSES = 20;
const MOST_FEATURES = 20;
const MOST_SLICES = 12;
const MOST_COLUMNS = 200;

/** Confusion matrix, and the figures of each class. */
export function classesSection({ confusion, perClass }: Scores): Markup {
  if (perClass.length === 0) return NOTHING;
  const figures = markup`<table><thead><tr><th>class</th><th class="n">precision</th><th class="n">recall</th><th class="n">F1</th><th class="n">rows</th></tr></thead><tbody>${perClass
    .slice(0, MOST_CLASSES)
    .map(
      (one) =>
        markup`<tr><th scope="row">${one.label}</th><td class="n">${metricFigure(one.precision)}</td><td class="n">${metricFigure(one.recall)}</td><td class="n">${metricFigure(one.f1)}</td><td class="n">${figure(one.support)}</td></tr>`,
    )}</tbody></table>`;
  if (perClass.length > MOST_CLASSES) return markup`<h2>Classes</h2>${figures}`;
  const shade = (count: number, row: readonly number[]): string => {
    const total = row.reduce((sum, one) => sum + one, 0);
    return total === 0 ? '0' : ((60 * count) / total).toFixed(0);
  };
  return markup`<h2>Classes</h2><div class="plots"><div class="wide"><table class="heat"><caption>Confusion matrix: rows are true, columns predicted</caption><thead><tr><th></th>${perClass.map(({ label }) => markup`<th class="n">${label}</th>`)}</tr></thead><tbody>${confusion.map(
    (row, k) =>
      markup`<tr><th scope="row">${perClass[k]?.label ?? ''}</th>${row.map((count) => markup`<td style="background:color-mix(in srgb, var(--s0) ${shade(count, row)}%, transparent)">${figure(count)}</td>`)}</tr>`,
  )}</tbody></table></div><div class="wide">${figures}</div></div>`;
}

/** The cut-off that the params asked for. */
export function thresholdSection({ threshold, positive }: Evaluation): Markup {
  if (threshold === undefined) return NOTHING;
  return markup`<h2>Cut-off</h2><p>Say <b>${positive ?? 'positive'}</b> from a probability of <b>${metricFigure(threshold.threshold)}</b> on: precision ${metricFigure(threshold.precision)}, recall ${metricFigure(threshold.recall)}, F1 ${metricFigure(threshold.f1)}; ${figure(threshold.truePositives)} found, ${figure(threshold.falseNegatives)} missed, ${figure(threshold.falsePositives)} false alarms.</p><p class="quiet">The figures are cross-fitted: each fifth of the held-out rows is judged by the cut-off that the others chose.</p>`;
}

/** What the model needs, on rows that it was not trained on, and what its trees used most while it was. */
export function importancesSection({ training, evaluation }: ReportInput): Markup {
  const parts = [needed(evaluation.importances), used(training)].filter((part) => part !== NOTHING);
  return parts.length === 0 ? NOTHING : markup`<h2>Features</h2><div class="plots">${parts}</div>`;
}

function needed(found: Evaluation['importances']): Markup {
  if (found === undefined || found.columns.length === 0) return NOTHING;
  const metric = found.metric === 'r2' ? 'R²' : 'balanced accuracy';
  const sorted = [...found.columns].sort((a, b) => b.mean - a.mean);
  const items = sorted.slice(0, MOST_FEATURES).map(({ column, mean, interval }) => ({
    label: column,
    value: mean,
    shown: `${metricFigure(mean)}${interval === undefined ? '' : ` (${interval.map(metricFigure).join(' to ')})`}`,
  }));
  const left = found.leftOut === 0 ? '' : `; ${found.leftOut} columns were not shuffled`;
  const title = `Fall of the ${metric} on ${figure(found.rows)} held-out rows when the column’s values change places, with its interval${left}`;
  return markup`<div class="wide">${bars(items, title)}</div>`;
}

function used(training: TrainingNotes | undefined): Markup {
  const importances = training?.importances ?? [];
  if (importances.length === 0) return NOTHING;
  const items = [...importances]
    .sort((a, b) => b.importance - a.importance)
    .slice(0, MOST_FEATURES)
    .map(({ feature, importance }) => ({ label: feature, value: importance, shown: percent(importance) }));
  return markup`<div class="wide">${bars(items, 'Share of the impurity that splits on the feature took away in training')}</div>`;
}

/** Where the model does worst. */
export function slicesSection({ slices, candidate }: Evaluation): Markup {
  if (slices === undefined || slices.length === 0) return NOTHING;
  const regression = candidate.pairs !== undefined;
  const worst = [...slices]
    .sort((a, b) => (regression ? b.value - a.value : a.value - b.value))
    .slice(0, MOST_SLICES);
  return markup`<h2>Where it does worst</h2><div class="wide"><table><thead><tr><th>column</th><th>rows with</th><th class="n">rows</th><th class="n">${regression ? 'mean absolute error' : 'accuracy'}</th></tr></thead><tbody>${worst.map(
    (one) =>
      markup`<tr><th scope="row">${one.column}</th><td>${one.slice}</td><td class="n">${figure(one.rows)}</td><td class="n">${metricFigure(one.value)}</td></tr>`,
  )}</tbody></table></div>`;
}

/** What the data looks like. */
export function profileSection(profile: TableProfile | undefined): Markup {
  if (profile === undefined) return NOTHING;
  const { columns, rows, rowsRead, target, warnings = [], notes = [] } = profile;
  const told = [...warnings.map(({ message }) => message), ...notes];
  const list =
    told.length === 0
      ? NOTHING
      : markup`<ul>${told.slice(0, MOST_COLUMNS).map((one) => markup`<li>${one}</li>`)}</ul>`;
  const left = rowsRead > rows ? `, after ${figure(rowsRead - rows)} equal rows were left out` : '';
  return markup`<h2>Data</h2><p>${figure(rows)} rows${left}; ${columns.length - 1} feature columns; the target is <b>${target}</b>.</p>${list}
<div class="wide"><table><thead><tr><th>column</th><th class="n">missing</th><th class="n">min</th><th class="n">median</th><th class="n">mean</th><th class="n">max</th><th></th></tr></thead><tbody>${columns
    .slice(0, MOST_COLUMNS)
    .map((column) => {
      const missing = percent(column.missing / Math.max(1, rows));
      if (column.kind === 'text') {
        const top = column.top
          .slice(0, 5)
          .map(({ value, rows: count }) => `${value} ${percent(count / Math.max(1, rows))}`);
        return markup`<tr><th scope="row">${column.name}</th><td class="n">${missing}</td><td colspan="5">${figure(column.distinct)} values: ${top.join(', ')}</td></tr>`;
      }
      const at = (value: number | null | undefined): string => (value == null ? '' : figure(value));
      return markup`<tr><th scope="row">${column.name}</th><td class="n">${missing}</td><td class="n">${at(column.min)}</td><td class="n">${at(column.quantiles[5])}</td><td class="n">${at(column.mean)}</td><td class="n">${at(column.max)}</td><td>${spark(column.histogram)}</td></tr>`;
    })}</tbody></table></div>`;
}
