import { backtestSection } from './backtest-section';
import { comparisonSection } from './comparison-section';
import { curvePlots } from './curve-plots';
import {
  classesSection,
  importancesSection,
  profileSection,
  slicesSection,
  thresholdSection,
} from './detail-sections';
import { type Markup, markup, NOTHING } from './markup';
import { signalSection } from './signal-section';
import { metricsSection } from './metrics-section';
import { plot } from './plot';
import { type ReportInput } from './report-input';
import { STYLE } from './style';

const VERDICTS: Record<string, { text: string; tone: string }> = {
  promoted: { text: 'Promoted to production', tone: 'good' },
  staged: { text: 'Staged', tone: 'quiet' },
  awaiting_approval: { text: 'Waits for approval', tone: 'quiet' },
  gate_failed: { text: 'Quality gate failed', tone: 'bad' },
};

/**
 * The report of a run: one HTML file that needs nothing else, no script and no network. The same input gives the same
 * bytes.
 */
export function reportHtml(input: ReportInput): string {
  const { model, version, evaluation } = input;
  const title = version === undefined ? model : `${model}, version ${version}`;
  const plots = curvePlots(input);
  return markup`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${title}</title><style>${STYLE}</style></head><body>
<h1>${title}</h1>
${verdict(input)}
${metricsSection(input)}
${comparisonSection(input)}
${plots.length === 0 ? NOTHING : markup`<h2>Curves</h2><div class="plots">${plots.map(({ series, options }) => plot(series, options))}</div>`}
${backtestSection(input.training?.backtest)}
${thresholdSection(evaluation)}
${signalSection(evaluation)}
${classesSection(evaluation.candidate)}
${importancesSection(input)}
${slicesSection(evaluation)}
${profileSection(input.profile)}
<h2>Lineage</h2><table>${Object.entries(input.lineage).map(([label, value]) => markup`<tr><th scope="row">${label}</th><td class="hash">${value}</td></tr>`)}</table>
</body></html>
`.text;
}

function verdict({ outcome, reason }: ReportInput): Markup {
  if (outcome === undefined) return NOTHING;
  const { text, tone } = VERDICTS[outcome] ?? { text: outcome, tone: 'quiet' };
  return markup`<p><b class="${tone}">${text}</b>${reason === undefined ? '' : `: ${reason}`}</p>`;
}
