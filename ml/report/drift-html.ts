import { type DriftedColumn, type DriftReport } from '../../contracts/drift';
import { histogramPair } from './drift-histogram';
import { figure, percent } from './figures';
import { Markup, markup, NOTHING } from './markup';
import { STYLE } from './style';

/** Columns that are drawn at most, the worst ones; the others are in a table. */
const MOST_DRAWN = 150;
/** Rows of that table. */
const MOST_LISTED = 2000;

const OWN_STYLE = new Markup(`
.verdict { font-size: 18px; margin: 12px 0; } .columns { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 440px), 1fr)); gap: 16px; }
.column { border: 1px solid var(--line); border-radius: 8px; padding: 12px 14px; min-width: 0; } .column.alarmed { border-color: var(--bad); border-width: 2px; }
.column h3 { font-size: 15px; margin: 0 0 2px; overflow-wrap: anywhere; } .badge { display: inline-block; border: 1px solid var(--bad); color: var(--bad); border-radius: 9px; font-size: 12px; line-height: 1.4; padding: 0 8px; margin: 2px 6px 2px 0; }
.facts { color: var(--quiet); font-size: 13px; margin: 2px 0 8px; overflow-wrap: anywhere; } .pair { width: 100%; table-layout: fixed; font-size: 12px; } .pair th, .pair td { padding: 1px 6px 1px 0; border: 0; }
.pair th { font-weight: 400; width: 34%; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; } .pair .n { width: 27%; padding-right: 0; } .pair .moved { font-weight: 700; }
@media (max-width: 480px) { .column { padding: 10px; } .pair { font-size: 11px; } .pair th { width: 28%; } .pair .n { width: 40%; } }
.was, .is { display: block; height: 6px; min-width: 1px; } .was { background: var(--quiet); opacity: .55; } .is { background: var(--s0); margin-top: 1px; }
.legend::before { content: '■ '; } .legend.old { color: var(--quiet); margin-right: 12px; } .legend.new { color: var(--s0); } .causes { padding-left: 20px; margin: 8px 0; } .causes li { margin: 4px 0; overflow-wrap: anywhere; }
`);

/**
 * The report of a check of drift: one HTML file that needs nothing else, no script and no network. The same report gives the same bytes. Names
 * of columns and levels are strangers' words and are escaped.
 */
export function driftHtml(report: DriftReport): string {
  const title = `${report.model}, version ${report.modelVersion}: drift`;
  return markup`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${title}</title><style>${STYLE}${OWN_STYLE}</style></head><body>
<h1>${title}</h1>
${verdict(report)}
${causes(report)}
${report.enough ? figures(report) : NOTHING}
<h2>What was compared</h2>${compared(report)}
</body></html>
`.text;
}

function verdict({
  enough,
  needed,
  current,
  columns,
  causes: found,
  joint,
  prediction,
}: DriftReport): Markup {
  if (!enough) {
    return markup`<p class="verdict">Too few rows: ${count(current.rows)}, and ${count(needed)} are needed. Nothing was compared.</p>`;
  }
  const drifted = columns.filter(({ alarms }) => alarms.length > 0).length;
  if (found.length === 0) {
    return markup`<p class="verdict"><b class="good">No drift.</b> The rows of now look like the training rows.</p>`;
  }
  const others = [
    ...(prediction !== null && prediction.alarms.length > 0 ? ['the predictions'] : []),
    ...(joint?.alarm === true ? ['columns together'] : []),
  ];
  const what = [...(drifted === 0 ? [] : [`${drifted} of ${plural(columns.length, 'column')}`]), ...others];
  return markup`<p class="verdict"><b class="bad">Drift</b> of ${what.join(', and of ')}.</p>`;
}

function causes({ causes: found }: DriftReport): Markup {
  if (found.length === 0) return NOTHING;
  return markup`<ul class="causes">${found.slice(0, MOST_DRAWN).map(({ title, detail }) => markup`<li><b>${title}</b> <span class="quiet">${detail}</span></li>`)}</ul>${more(found.length - MOST_DRAWN, 'cause')}`;
}

function figures({ columns, prediction, joint }: DriftReport): Markup {
  const rest = columns.slice(MOST_DRAWN);
  return markup`<p><span class="legend old">training rows</span><span class="legend new">rows of now</span> <span class="quiet">shares of the rows; bold: what moved most</span></p>
<h2>Columns, worst first</h2><div class="columns">${columns.slice(0, MOST_DRAWN).map(columnCard)}</div>
${rest.length === 0 ? NOTHING : listed(rest)}
${prediction === null ? NOTHING : markup`<h2>Predictions</h2><p class="quiet">The model's answers to rows that were held out, and its answers now.</p><div class="columns">${columnCard(prediction)}</div>`}
${joint === null ? NOTHING : togetherSection(joint)}`;
}

function columnCard(column: DriftedColumn): Markup {
  const { name, alarms } = column;
  return markup`<section class="column${alarms.length > 0 ? ' alarmed' : ''}"><h3>${short(name)}</h3>
${alarms.map((alarm) => markup`<span class="badge">${alarm}</span>`)}
<p class="facts">${facts(column).join(' · ')}</p>${histogramPair(column)}</section>
`;
}

function facts(column: DriftedColumn): string[] {
  const { stability, chance, wasserstein, jensenShannon, missing, strange } = column;
  return [
    `PSI ${stability.toFixed(3)}`,
    `by chance: ${chanceText(chance)}`,
    ...(wasserstein === null ? [] : [`moved ${figure(wasserstein)} standard deviations (Wasserstein)`]),
    ...(jensenShannon === null ? [] : [`Jensen-Shannon ${jensenShannon.toFixed(3)}`]),
    ...(missing.reference + missing.current === 0
      ? []
      : [`missing ${percent(missing.reference)} → ${percent(missing.current)}`]),
    ...(strange.rows === 0
      ? []
      : [
          `${plural(strange.rows, 'row')} with new values${strange.levels.length === 0 ? '' : `: ${strange.levels.map(short).join(', ')}`}`,
        ]),
  ];
}

function listed(columns: readonly DriftedColumn[]): Markup {
  return markup`<p class="quiet">${plural(columns.length, 'more column')}, none worse than these:</p><div class="wide"><table><thead><tr><th>column</th><th class="n">PSI</th><th class="n">missing before</th><th class="n">now</th></tr></thead><tbody>${columns
    .slice(0, MOST_LISTED)
    .map(
      ({ name, stability, missing }) =>
        markup`<tr><th scope="row">${short(name)}</th><td class="n">${stability.toFixed(3)}</td><td class="n">${percent(missing.reference)}</td><td class="n">${percent(missing.current)}</td></tr>`,
    )}</tbody></table></div>${more(columns.length - MOST_LISTED, 'column')}`;
}

function togetherSection({ auc, low, high, alarm, columns }: NonNullable<DriftReport['joint']>): Markup {
  return markup`<h2>Columns together</h2><p>A forest that is to tell rows of now from training rows, by the columns without an alarm of their own: AUC <b${alarm ? markup` class="bad"` : NOTHING}>${auc.toFixed(3)}</b> (95 % interval ${low.toFixed(3)} … ${high.toFixed(3)}; 0.5 is not at all, 1 is every row).${!alarm || columns.length === 0 ? '' : ` It goes by ${columns.map(short).join(', ')}.`}</p>`;
}

function compared(report: DriftReport): Markup {
  const { current, reference, falseAlarms, leftOut, notes } = report;
  const from =
    current.window === null
      ? `${current.data?.path ?? ''} (SHA-256 ${current.data?.hash.slice(0, 12) ?? ''})`
      : `prediction log, ${minute(current.window.from)} to ${minute(current.window.to)} (UTC)`;
  const { season } = reference;
  const rows: [string, string][] = [
    ['rows of now', `${from}: ${sampleText(current)}`],
    [
      'training rows',
      `${sampleText(reference)}${season === null ? '' : `, those of the same ${short(season.column)}`}; MLflow run ${report.mlflowRunId}`,
    ],
    ['false alarms', `${percent(falseAlarms)} of such checks, where nothing has drifted`],
    ...leftOut
      .slice(0, MOST_DRAWN)
      .map(({ column, why }): [string, string] => ['left out', `${short(column)} (${why})`]),
    ...notes.map((note): [string, string] => ['note', note]),
  ];
  return markup`<table>${rows.map(([label, value]) => markup`<tr><th scope="row">${label}</th><td>${value}</td></tr>`)}</table>`;
}

const sampleText = ({ rows, of }: { rows: number; of: number }): string =>
  rows === of ? plural(rows, 'row') : `${count(rows)} of ${plural(of, 'row')}`;

const more = (rest: number, what: string): Markup =>
  rest > 0 ? markup`<p class="quiet">and ${plural(rest, `more ${what}`)}</p>` : NOTHING;

const count = (value: number): string => value.toLocaleString('en-US');

const plural = (value: number, word: string): string => `${count(value)} ${word}${value === 1 ? '' : 's'}`;

const minute = (iso: string): string => iso.slice(0, 16).replace('T', ' ');

/** A chance of drift where there is none: as a percentage, as far as it is known. */
const chanceText = (chance: number): string => (chance < 0.001 ? 'below 0.1 %' : percent(chance));

/** Names may be pages long. */
const short = (name: string): string => (name.length > 120 ? `${name.slice(0, 120)}…` : name);
