import { metricOf, type Scores } from '../../contracts/stage';
import { limitText } from '../gate/check-gate';
import { metricFigure } from './figures';
import { type Markup, markup } from './markup';
import { type ReportInput } from './report-input';

/** A line of the table of metrics. */
export interface MetricRow {
  metric: string;
  candidate: string;
  /** `0.91 to 0.97`, or empty. */
  interval: string;
  /** Empty where there is no champion or it lacks the metric. */
  champion: string;
  /** One per baseline of the evaluation; empty where it lacks the metric. */
  baselines: string[];
  /** `≥ 0.9`, or `≤` for losses and errors. */
  gate: string;
  /** Undefined: the gate does not name the metric. */
  passed: boolean | undefined;
}

/** The metrics against champion, baselines and gate. */
export function metricRows({ evaluation, gate }: ReportInput): MetricRow[] {
  const { candidate, champion, comparison, baselines = [] } = evaluation;
  return Object.entries(candidate.metrics).map(([metric, value]) => {
    const check = gate.find((one) => one.metric === metric);
    const interval = candidate.intervals?.[metric];
    return {
      metric,
      candidate: metricFigure(value),
      interval: interval === undefined ? '' : interval.map(metricFigure).join(' to '),
      // On other rows its figures stand in a table of their own.
      champion: comparison === undefined ? of(champion, metric) : '',
      baselines: baselines.map(({ scores }) => of(scores, metric)),
      gate: check === undefined ? '' : limitText(check),
      passed: check?.passed,
    };
  });
}

function of(scores: Scores | null | undefined, metric: string): string {
  const value = metricOf(scores?.metrics, metric);
  return value === undefined ? '' : metricFigure(value);
}

/** What heads the champion's column. */
export function championTitle({ championVersion }: ReportInput): string {
  return championVersion === null ? 'champion' : `version ${championVersion}`;
}

/** What heads the baselines' columns. */
export function baselineTitles({ evaluation }: ReportInput): string[] {
  return (evaluation.baselines ?? []).map(({ algorithm }) => algorithm.replaceAll('-', ' '));
}

/** The table of metrics as HTML. */
export function metricsSection(input: ReportInput): Markup {
  const { evaluation } = input;
  const rows = metricRows(input);
  const withChampion = rows.some(({ champion }) => champion !== '');
  const withInterval = rows.some(({ interval }) => interval !== '');
  return markup`<h2>Metrics on ${evaluation.rows} held-out rows</h2>
${evaluation.championError === null ? '' : markup`<p class="bad">The version in production could not be scored on these rows: ${evaluation.championError}</p>`}
<div class="wide"><table><thead><tr><th>metric</th><th class="n">this model</th>${withInterval ? markup`<th>interval</th>` : ''}${withChampion ? markup`<th class="n">${championTitle(input)}</th>` : ''}${baselineTitles(input).map((title) => markup`<th class="n">${title}</th>`)}<th>gate</th></tr></thead><tbody>
${rows.map(
  (row) =>
    markup`<tr><th scope="row">${row.metric}</th><td class="n">${row.candidate}</td>${withInterval ? markup`<td class="quiet">${row.interval}</td>` : ''}${withChampion ? markup`<td class="n">${row.champion}</td>` : ''}${row.baselines.map((figure) => markup`<td class="n quiet">${figure}</td>`)}<td class="${row.passed === undefined ? '' : row.passed ? 'good' : 'bad'}">${row.gate}${row.passed === undefined ? '' : row.passed ? ' passed' : ' failed'}</td></tr>`,
)}</tbody></table></div>
${baselineTitles(input).length === 0 ? '' : markup`<p class="quiet">Learned from the same training rows: ${baselineTitles(input).join(', ')}. The difference is what the model adds.</p>`}`;
}
