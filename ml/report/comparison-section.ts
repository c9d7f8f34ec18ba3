import { type Comparison } from '../../contracts/comparison';
import { isDetail } from '../../contracts/task-metrics';
import { rowsText, signed, thousands } from '../gate/number-text';
import { intervalOf } from '../gate/paired-difference';
import { metricFigure } from './figures';
import { type Markup, markup, NOTHING } from './markup';
import { type ReportInput } from './report-input';

/** Level of the intervals that are shown here, whatever the promotion goes by. */
const LEVEL = 0.95;
const MOST_SLICES = 10;

/** A line of the comparison: figures as text, empty where there is none. */
export interface ComparisonRow {
  metric: string;
  candidate: string;
  champion: string;
  difference: string;
  interval: string;
}

/** Both models on the rows that were compared. */
export function comparisonRows({ candidate, champion, differences }: Comparison): ComparisonRow[] {
  return Object.entries(candidate)
    .filter(([metric]) => !isDetail(metric))
    .map(([metric, value]) => {
      const its = champion[metric];
      const difference = differences[metric];
      const interval = difference === undefined ? null : intervalOf(difference, LEVEL);
      return {
        metric,
        candidate: metricFigure(value),
        champion: its === undefined ? '' : metricFigure(its),
        difference: its === undefined ? '' : signed(value - its, 4),
        interval: interval === null ? '' : `${signed(interval[0], 4)} … ${signed(interval[1], 4)}`,
      };
    });
}

/** Which rows were compared, in words. */
export function comparedRowsText(
  { rows, heldOut, seenByChampion, seenByCandidate, unknown }: Comparison,
  champion: string,
): string {
  if (unknown !== null) {
    return `${rowsText(rows, 'held-out row')}; ${champion} may have been trained on some of them: ${unknown}.`;
  }
  const left = [
    ...(seenByChampion === null || seenByChampion === 0
      ? []
      : [`${thousands(seenByChampion)} that ${champion} was trained on`]),
    ...(seenByCandidate === 0 ? [] : [`${thousands(seenByCandidate)} that this model was trained on`]),
  ];
  const aside = left.length === 0 ? '' : ` Left out: ${left.join(', ')}.`;
  return `${thousands(rows)} of ${rowsText(heldOut, 'held-out row')}, which neither was trained on.${aside}`;
}

/** Candidate and champion on the rows that neither was trained on. */
export function comparisonSection({ evaluation, championVersion }: ReportInput): Markup {
  const { comparison } = evaluation;
  if (comparison === undefined || championVersion === null) return NOTHING;
  const champion = `version ${championVersion}`;
  const rows = comparisonRows(comparison);
  const table =
    rows.length === 0
      ? NOTHING
      : markup`<div class="wide"><table><thead><tr><th>metric</th><th class="n">this model</th><th class="n">${champion}</th><th class="n">difference</th><th>95 % interval</th></tr></thead><tbody>${rows.map(
          (row) =>
            markup`<tr><th scope="row">${row.metric}</th><td class="n">${row.candidate}</td><td class="n">${row.champion}</td><td class="n">${row.difference}</td><td class="quiet">${row.interval}</td></tr>`,
        )}</tbody></table></div>
<p class="quiet">Intervals by the paired bootstrap: both models on the same draws of the rows. One that holds 0 may be chance.</p>`;
  return markup`<h2>Against ${champion}</h2><p>${comparedRowsText(comparison, champion)}</p>${table}${slicesTable(comparison, champion)}`;
}

function slicesTable({ slices, champion: its }: Comparison, champion: string): Markup {
  const sign = its['mae'] === undefined ? 1 : -1;
  const worse = slices
    .map((one) => ({ ...one, gain: sign * (one.candidate - one.champion) }))
    .filter(({ gain }) => gain < 0)
    .sort((a, b) => a.gain - b.gain)
    .slice(0, MOST_SLICES);
  if (worse.length === 0) return NOTHING;
  return markup`<h3>Where it does worse</h3><div class="wide"><table><thead><tr><th>column</th><th>rows with</th><th class="n">rows</th><th class="n">${sign === 1 ? 'accuracy' : 'mean absolute error'}</th><th class="n">${champion}</th></tr></thead><tbody>${worse.map(
    (one) =>
      markup`<tr><th scope="row">${one.column}</th><td>${one.slice}</td><td class="n">${thousands(one.rows)}</td><td class="n">${metricFigure(one.candidate)}</td><td class="n">${metricFigure(one.champion)}</td></tr>`,
  )}</tbody></table></div>`;
}
