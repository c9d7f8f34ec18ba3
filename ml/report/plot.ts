import { type Markup, markup } from './markup';

/** A line of a plot, in data units. */
export interface Series {
  label: string;
  points: readonly (readonly [x: number, y: number])[];
  /** `line`: joined; `dots`: not. */
  mark: 'line' | 'dots';
}

export interface PlotOptions {
  title: string;
  x: string;
  y: string;
  /** Least and largest value shown, for both axes. */
  domain: readonly [min: number, max: number];
  /** The same of the y axis alone; absent: `domain`. */
  range?: readonly [min: number, max: number];
  /** What stands below the x axis, by value; absent: even steps. */
  ticks?: readonly { at: number; text: string }[];
  /** A dashed line from the lower left to the upper right: chance, or perfection. */
  diagonal?: boolean;
}

/** A plot in data: drawn as SVG for the page, as Vega-Lite for other tools. */
export interface PlotData {
  name: string;
  options: PlotOptions;
  series: Series[];
}

const SIZE = 300;
const MARGIN = { left: 46, right: 12, top: 28, bottom: 40 };
const TICKS = 5;

/** A square plot as SVG, with axes and a legend; colours come from the page's style sheet (`s0`, `s1`, …). */
export function plot(series: readonly Series[], options: PlotOptions): Markup {
  const [min, max] = options.domain;
  const [low, high] = options.range ?? options.domain;
  const inner = SIZE - MARGIN.left - MARGIN.right;
  const share = (value: number, from: number, to: number): number =>
    ((value - from) / (to - from || 1)) * inner;
  const px = (x: number): string => (MARGIN.left + share(x, min, max)).toFixed(1);
  const py = (y: number): string => (MARGIN.top + inner - share(y, low, high)).toFixed(1);
  const steps = (from: number, to: number): number[] =>
    Array.from({ length: TICKS + 1 }, (_, i) => from + ((to - from) * i) / TICKS);
  const tickText = (value: number): string => String(Number(value.toPrecision(3)));
  const below = options.ticks ?? steps(min, max).map((at) => ({ at, text: tickText(at) }));
  const height = MARGIN.top + inner + MARGIN.bottom;
  return markup`<figure><svg viewBox="0 0 ${SIZE} ${height}" role="img" aria-label="${options.title}">
<text class="title" x="${MARGIN.left}" y="16">${options.title}</text>
${below.map(
  ({ at, text }) => markup`<line class="grid" x1="${px(at)}" x2="${px(at)}" y1="${py(low)}" y2="${py(high)}"/>
<text class="tick" x="${px(at)}" y="${MARGIN.top + inner + 14}" text-anchor="middle">${text}</text>`,
)}
${steps(low, high).map(
  (tick) => markup`<line class="grid" x1="${px(min)}" x2="${px(max)}" y1="${py(tick)}" y2="${py(tick)}"/>
<text class="tick" x="${MARGIN.left - 5}" y="${py(tick)}" dy="3" text-anchor="end">${tickText(tick)}</text>`,
)}
${options.diagonal === true ? markup`<line class="diagonal" x1="${px(min)}" y1="${py(low)}" x2="${px(max)}" y2="${py(high)}"/>` : ''}
${series.map(({ points, mark }, i) =>
  mark === 'line'
    ? markup`<polyline class="line s${i}" points="${points.map(([x, y]) => `${px(x)},${py(y)}`).join(' ')}"/>`
    : points.map(([x, y]) => markup`<circle class="dot s${i}" cx="${px(x)}" cy="${py(y)}" r="2.2"/>`),
)}
<text class="axis" x="${MARGIN.left + inner / 2}" y="${height - 8}" text-anchor="middle">${options.x}</text>
<text class="axis" transform="translate(12 ${MARGIN.top + inner / 2}) rotate(-90)" text-anchor="middle">${options.y}</text>
</svg>${series.length > 1 ? markup`<figcaption>${series.map(({ label }, i) => markup`<span class="key s${i}">${label}</span>`)}</figcaption>` : ''}</figure>`;
}

/** Horizontal bars, the longest first as given, with their values written out. */
export function bars(
  items: readonly { label: string; value: number; shown: string }[],
  title: string,
): Markup {
  const most = Math.max(...items.map(({ value }) => value), Number.MIN_VALUE);
  return markup`<table class="bars"><caption>${title}</caption>${items.map(
    ({ label, value, shown }) =>
      markup`<tr><th scope="row">${label}</th><td><span class="bar" style="width:${((100 * Math.max(0, value)) / most).toFixed(1)}%"></span></td><td class="n">${shown}</td></tr>`,
  )}</table>`;
}

/** A histogram without axes, the size of a line of text. */
export function spark(counts: readonly number[]): Markup {
  const most = Math.max(...counts, 1);
  const width = 4;
  return markup`<svg class="spark" viewBox="0 0 ${counts.length * width} 20" aria-hidden="true">${counts.map(
    (count, i) =>
      markup`<rect x="${i * width}" width="${width - 1}" y="${(20 - (20 * count) / most).toFixed(1)}" height="${((20 * count) / most).toFixed(1)}"/>`,
  )}</svg>`;
}
