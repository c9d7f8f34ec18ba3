import { type DriftedColumn } from '../../contracts/drift';
import { type Markup, markup, NOTHING } from './markup';

/** Bins that are drawn at most: more can't be told apart at a glance. */
const MOST_BARS = 14;

interface Bar {
  label: string;
  before: number;
  now: number;
}

/**
 * A column then and now, a line for each bin: two bars, and the shares of the rows that they stand for. Of many levels those are drawn that
 * moved most, in their order.
 */
export function histogramPair({ bins, kind }: DriftedColumn): Markup {
  const bars = barsOf(bins);
  const drawn = foremost(bars);
  const most = Math.max(...bars.map(({ before, now }) => Math.max(before, now)), Number.MIN_VALUE);
  const farthest = Math.max(...bars.map(change));
  const width = (share: number): string => `width:${((100 * share) / most).toFixed(1)}%`;
  const rest = bars.length - drawn.length;
  return markup`<table class="pair"><tbody>${drawn.map((bar) => {
    const { label, before, now } = bar;
    const moved = farthest > 0 && change(bar) === farthest ? ' moved' : '';
    return markup`<tr><th scope="row" title="${label}">${label}</th><td><span class="was" style="${width(before)}"></span><span class="is" style="${width(now)}"></span></td><td class="n${moved}">${shareText(before)} → ${shareText(now)}</td></tr>`;
  })}</tbody></table>${rest > 0 ? markup`<p class="facts">and ${rest} more ${kind === 'text' ? 'levels' : 'bins'}, which moved less</p>` : NOTHING}`;
}

/** Bins that some row is in, as shares of all rows; the first and the last bins of numbers are there in any case. */
function barsOf({ bins, reference, current }: DriftedColumn['bins']): Bar[] {
  const [all, every] = [reference, current].map((counts) => counts.reduce((sum, rows) => sum + rows, 0) || 1);
  return bins
    .map((label, bin) => ({
      label: label.length > 200 ? `${label.slice(0, 200)}…` : label,
      before: (reference[bin] ?? 0) / all!,
      now: (current[bin] ?? 0) / every!,
    }))
    .filter(({ before, now }) => before > 0 || now > 0);
}

const change = ({ before, now }: Bar): number => Math.abs(now - before);

function foremost(bars: readonly Bar[]): readonly Bar[] {
  if (bars.length <= MOST_BARS) return bars;
  const chosen = new Set([...bars].sort((a, b) => change(b) - change(a)).slice(0, MOST_BARS));
  return bars.filter((bar) => chosen.has(bar));
}

const shareText = (share: number): string =>
  share > 0 && share < 0.001 ? '<0.1 %' : `${(100 * share).toFixed(1)} %`;
