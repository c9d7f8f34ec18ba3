import { type Change, type Evidence, type SideBySide } from '../../contracts/evidence';
import { limitText } from '../gate/check-gate';
import { signed, thousands } from '../gate/number-text';
import { figure, metricFigure } from './figures';
import { type Markup, markup, NOTHING } from './markup';
import { STYLE } from './style';

/**
 * The page of an evidence pack: one HTML file that needs nothing else, no script and no network. The same pack gives the same
 * bytes. Every value in it may be a stranger's and is escaped.
 *
 * @param sha256 of the pack's JSON, by which the ledger knows it
 */
export function evidenceHtml(pack: Evidence, sha256: string): string {
  const title = `${pack.model}, version ${pack.modelVersion}: evidence`;
  const champion = pack.champion === null ? 'production (none)' : `version ${pack.champion}`;
  return markup`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${title}</title><style>${STYLE}</style></head><body>
<h1>${title}</h1>
<p>Waits for approval, to take the place of ${champion}. ${pack.reason}.</p>
${pack.requestedBy === null ? NOTHING : markup`<p class="quiet">Its run was started by ${pack.requestedBy}.</p>`}
${changes(pack, champion)}
${metrics(pack, champion)}
${confusions(pack, champion)}
${pack.sideBySide === null ? NOTHING : disagreements(pack.sideBySide, champion)}
${slices(pack, champion)}
<h2>Where this comes from</h2><table>${lineage(pack, sha256).map(([label, value]) => markup`<tr><th scope="row">${label}</th><td class="hash">${value}</td></tr>`)}</table>
</body></html>
`.text;
}

function lineage({ lineage: hashes, workflowId, mlflowRunId }: Evidence, sha256: string): [string, string][] {
  return [
    ['evidence, in the ledger', sha256],
    ['pipeline key', hashes.pipelineKey],
    ['data', hashes.dataHash],
    ['params', hashes.paramsHash],
    ['code', hashes.codeHash],
    ['workflow', workflowId],
    ['MLflow run', mlflowRunId],
  ];
}

function changes(
  { changes: { data, params, code, known }, champion: version }: Evidence,
  champion: string,
): Markup {
  const heading = markup`<h2>What changed against ${champion}</h2>`;
  if (version === null) return markup`${heading}<p>Nothing was in production.</p>`;
  if (!known) {
    return markup`${heading}<p>${champion} does not tell what it was made of: another program registered it, or its run is gone.</p>`;
  }
  const tables: [string, readonly Change[]][] = [
    ['Data', data],
    ['Params', params],
    ['Code', code],
  ];
  return markup`${heading}${tables.map(([title, rows]) => changeTable(title, rows, champion))}`;
}

function changeTable(title: string, rows: readonly Change[], champion: string): Markup {
  if (rows.length === 0) return markup`<h3>${title}</h3><p>The same.</p>`;
  const cell = (value: string | null): Markup =>
    value === null ? markup`<td class="quiet">none</td>` : markup`<td class="hash">${value}</td>`;
  return markup`<h3>${title}</h3><div class="wide"><table><thead><tr><th></th><th>${champion}</th><th>this version</th></tr></thead><tbody>${rows.map(
    ({ what, before, after }) => markup`<tr><th scope="row">${what}</th>${cell(before)}${cell(after)}</tr>`,
  )}</tbody></table></div>`;
}

function metrics(
  { metrics: rows, gate, baselines, champion: version, rows: where }: Evidence,
  champion: string,
): Markup {
  const others = baselines.map(({ algorithm }) => algorithm.replaceAll('-', ' '));
  const range = (ends: readonly [number, number] | null, shown: (value: number) => string): string =>
    ends === null ? '' : `${shown(ends[0])} … ${shown(ends[1])}`;
  const head = [
    markup`<th>metric</th><th class="n">this version</th>`,
    ...(version === null
      ? []
      : [
          markup`<th class="n">${champion}</th><th class="n">difference</th><th class="n">95 % interval of it</th>`,
        ]),
    markup`<th class="n">interval</th>${others.map((name) => markup`<th class="n">${name}</th>`)}<th>gate</th>`,
  ];
  return markup`<h2>Metrics</h2><p>On ${where}</p><div class="wide"><table><thead><tr>${head}</tr></thead><tbody>${rows.map(
    ({ metric, candidate, champion: its, interval, difference }) => {
      const check = gate.find((one) => one.metric === metric);
      const against =
        version === null
          ? NOTHING
          : markup`<td class="n">${its === null ? '' : metricFigure(its)}</td><td class="n">${its === null ? '' : signed(candidate - its, 4)}</td><td class="n quiet">${range(difference, (end) => signed(end, 4))}</td>`;
      return markup`<tr><th scope="row">${metric}</th><td class="n">${metricFigure(candidate)}</td>${against}<td class="n quiet">${range(interval, metricFigure)}</td>${baselines.map(({ metrics: known }) => markup`<td class="n quiet">${known[metric] === undefined ? '' : metricFigure(known[metric])}</td>`)}<td class="${check === undefined ? '' : check.passed ? 'good' : 'bad'}">${check === undefined ? '' : `${limitText(check)} ${check.passed ? 'passed' : 'failed'}`}</td></tr>`;
    },
  )}</tbody></table></div><p class="quiet">Intervals by the bootstrap, the difference’s by the paired one. One that holds 0 may be chance. Gate, baselines and the last interval are about all held-out rows.</p>`;
}

function confusions({ confusion, sideBySide, champion }: Evidence, championName: string): Markup {
  const both = sideBySide?.confusions ?? null;
  if (both !== null && champion !== null) {
    return markup`<h2>Confusion matrices</h2><p class="quiet">On the rows that both were scored on. Rows are true, columns predicted.</p><div class="plots">${matrix('this version', both.labels, both.candidate)}${matrix(championName, both.labels, both.champion)}</div>`;
  }
  if (confusion === null) return NOTHING;
  return markup`<h2>Confusion matrix</h2><p class="quiet">On all held-out rows. Rows are true, columns predicted.</p>${matrix('this version', confusion.labels, confusion.counts)}`;
}

function matrix(title: string, labels: readonly string[], counts: readonly (readonly number[])[]): Markup {
  const shade = (count: number, line: readonly number[]): string => {
    const total = line.reduce((sum, one) => sum + one, 0);
    return total === 0 ? '0' : ((60 * count) / total).toFixed(0);
  };
  return markup`<div class="wide"><table class="heat"><caption>${title}</caption><thead><tr><th></th>${labels.map((label) => markup`<th class="n">${label}</th>`)}</tr></thead><tbody>${counts.map(
    (line, k) =>
      markup`<tr><th scope="row">${labels[k] ?? ''}</th>${line.map((count) => markup`<td style="background:color-mix(in srgb, var(--s0) ${shade(count, line)}%, transparent)">${figure(count)}</td>`)}</tr>`,
  )}</tbody></table></div>`;
}

function disagreements(
  { disagreements: { total, lost, won, columns, shown } }: SideBySide,
  champion: string,
): Markup {
  const heading = markup`<h2>Rows on which the two disagree</h2>`;
  if (total === 0) return markup`${heading}<p>None: they say the same of every row.</p>`;
  const cells = (value: string | number | null): string =>
    value == null ? '' : typeof value === 'number' ? figure(value) : value;
  return markup`${heading}<p>${thousands(total)} in all: <span class="bad">${thousands(lost)}</span> where ${champion} is right or nearer, <span class="good">${thousands(won)}</span> where this version is. ${shown.length} of them:</p>
<div class="wide"><table><thead><tr><th class="n">row</th><th>truth</th><th>this version</th><th>${champion}</th>${columns.map((name) => markup`<th>${name}</th>`)}</tr></thead><tbody>${shown.map(
    (one) =>
      markup`<tr><td class="n">${one.row}</td><th scope="row">${one.truth}</th><td class="${one.candidate === one.truth ? 'good' : ''}">${one.candidate}</td><td class="${one.champion === one.truth ? 'good' : ''}">${one.champion}</td>${one.values.map((value) => markup`<td class="quiet">${cells(value)}</td>`)}</tr>`,
  )}</tbody></table></div>`;
}

function slices({ slices: rows, metrics: measured }: Evidence, champion: string): Markup {
  if (rows.length === 0) return NOTHING;
  const isError = measured.some(({ metric }) => metric === 'mae');
  const tone = (gain: number): string => (gain === 0 ? '' : gain > 0 ? 'good' : 'bad');
  return markup`<h2>Slices</h2><p class="quiet">${isError ? 'Mean absolute error' : 'Accuracy'} on parts of the rows compared, the worst for this version first.</p><div class="wide"><table><thead><tr><th>column</th><th>rows with</th><th class="n">rows</th><th class="n">this version</th><th class="n">${champion}</th><th class="n">difference</th></tr></thead><tbody>${rows.map(
    (one) =>
      markup`<tr><th scope="row">${one.column}</th><td>${one.slice}</td><td class="n">${thousands(one.rows)}</td><td class="n">${metricFigure(one.candidate)}</td><td class="n">${metricFigure(one.champion)}</td><td class="n ${tone((one.candidate - one.champion) * (isError ? -1 : 1))}">${signed(one.candidate - one.champion, 4)}</td></tr>`,
  )}</tbody></table></div>`;
}
