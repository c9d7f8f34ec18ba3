import { type Backtest, metricOf } from '../../contracts/stage';
import { isDetail } from '../../contracts/task-metrics';
import { backtestMetrics, mainMetric, ofBaseline } from '../backtest/summary';
import { figure, metricFigure } from './figures';
import { type Markup, markup, NOTHING } from './markup';
import { type PlotData } from './plot';

/** Metrics beside the main one. */
const MOST_METRICS = 3;

/** Dates below a plot that do not touch. */
const MOST_TICKS = 5;

/** Baselines that know nothing of a row: beside a moving average they would only stretch the plot. */
const IGNORANT: readonly string[] = ['mean', 'majority'];

/** How the training did at each cut-off, beside the baselines. */
export function backtestSection(backtest: Backtest | undefined): Markup {
  if (backtest === undefined || backtest.cutoffs.length === 0) return NOTHING;
  const { cutoffs } = backtest;
  const main = mainMetric(backtest);
  const metrics = metricsOf(backtest);
  const baselines = baselinesOf(backtest);
  const means = backtestMetrics(backtest);
  const cell = (value: number | undefined): string => (value === undefined ? '' : metricFigure(value));
  return markup`<h2>Backtest</h2>
<p class="quiet">A model at each cut-off, trained on the rows before it and scored on the window after.${gapText(backtest)}${fewerText(backtest)}</p>
<div class="wide"><table><thead><tr><th>later than</th><th>up to</th><th class="n">trained on</th><th class="n">rows</th>${metrics.map((name) => markup`<th class="n">${name}</th>`)}${baselines.map((name) => markup`<th class="n">${main} of ${name.replaceAll('-', ' ')}</th>`)}</tr></thead><tbody>
${cutoffs.map(
  (cut, k) =>
    markup`<tr><th scope="row">${cut.after}</th><td>${cut.until}</td><td class="n">${figure(cut.trainRows)}</td><td class="n">${figure(cut.rows)}</td>${metrics.map((name) => markup`<td class="n">${cell(metricOf(cut.metrics, name))}</td>`)}${baselines.map((name) => markup`<td class="n quiet">${cell(ofBaseline(backtest, name, main)[k])}</td>`)}</tr>`,
)}
<tr><th scope="row">mean</th><td></td><td></td><td></td>${metrics.map((name) => markup`<td class="n"><b>${cell(means[`backtest_${name}`])}</b></td>`)}${baselines.map((name) => markup`<td class="n quiet">${cell(means[`backtest_${main}_${name.replaceAll('-', '_')}`])}</td>`)}</tr></tbody></table></div>`;
}

function gapText({ gap, past, unit }: Backtest): string {
  const span = (value: number): string =>
    `${figure(value)}${unit === 'day' ? (value === 1 ? ' day' : ' days') : ''}`;
  const back = past === null ? '' : ` Training rows go back ${span(past)}.`;
  return gap === 0 ? back : ` Rows within ${span(gap)} before the window are not trained on.${back}`;
}

function fewerText({ asked, cutoffs }: Backtest): string {
  return cutoffs.length < asked
    ? ` ${cutoffs.length} of ${asked} cut-offs: the rows of the others are not there.`
    : '';
}

/** The main metric first. */
function metricsOf(backtest: Backtest): string[] {
  const main = mainMetric(backtest);
  const all = new Set(backtest.cutoffs.flatMap(({ metrics }) => Object.keys(metrics)));
  const others = [...all].filter((name) => name !== main && !isDetail(name));
  return [main, ...others.slice(0, MOST_METRICS)];
}

function baselinesOf({ cutoffs }: Backtest): string[] {
  return [...new Set(cutoffs.flatMap(({ baselines }) => baselines.map(({ algorithm }) => algorithm)))];
}

/** The main metric over the cut-offs, of the model and the baselines that know something. */
export function backtestPlots(backtest: Backtest | undefined): PlotData[] {
  if (backtest === undefined || backtest.cutoffs.length < 2) return [];
  const { cutoffs } = backtest;
  const main = mainMetric(backtest);
  const all = baselinesOf(backtest);
  const able = all.filter((name) => !IGNORANT.includes(name));
  const lines = [
    { label: 'this model', values: cutoffs.map(({ metrics }) => metricOf(metrics, main)) },
    ...(able.length > 0 ? able : all).map((name) => ({
      label: name.replaceAll('-', ' '),
      values: ofBaseline(backtest, name, main),
    })),
  ];
  const series = lines.map(({ label, values }) => ({
    label,
    mark: 'line' as const,
    points: values.flatMap((value, k) => (value === undefined ? [] : [[k + 1, value] as const])),
  }));
  const largest = Math.max(...series.flatMap(({ points }) => points.map(([, value]) => value)));
  const step = Math.ceil(cutoffs.length / MOST_TICKS);
  return [
    {
      name: 'backtest',
      series,
      options: {
        ...{ title: `Backtest: ${main} by cut-off`, x: 'cut-off', y: main },
        domain: [1, cutoffs.length],
        range: [0, largest * 1.05 || 1],
        ticks: cutoffs.flatMap(({ after }, k) =>
          k % step === 0
            ? [{ at: k + 1, text: /^\d{4}-\d\d-\d\d$/.test(after) ? after.slice(5) : after }]
            : [],
        ),
      },
    },
  ];
}

/** The means over the cut-offs in a few words; null: there are none. */
export function backtestLine(backtest: Backtest | undefined): string | null {
  if (backtest === undefined || backtest.cutoffs.length === 0) return null;
  const main = mainMetric(backtest);
  const means = backtestMetrics(backtest);
  const shown = (key: string): string => metricFigure(metricOf(means, key) ?? Number.NaN);
  const others = baselinesOf(backtest).map(
    (name) => `${name.replaceAll('-', ' ')} ${shown(`backtest_${main}_${name.replaceAll('-', '_')}`)}`,
  );
  return `mean of ${backtest.cutoffs.length} cut-offs: ${main} ${shown(`backtest_${main}`)}${others.length === 0 ? '' : ` (${others.join(', ')})`}.`;
}
