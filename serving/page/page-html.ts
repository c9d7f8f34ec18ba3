import { type Markup, markup, NOTHING } from '../../ml/report/markup';
import { figure, metricFigure } from '../../ml/report/figures';
import {
  FIGURES,
  type Figure,
  type LiveState,
  type ModelHistory,
  type PageInput,
  type PageModel,
} from './page-input';
import { formSection } from './try-form';

/** So many metrics, versions and moves are listed. */
const MOST_LISTED = 30;

/** The page: complete without its script, but for the form's answer and the counters' movement. Every value in it is escaped. */
export function pageHtml({ model, state, history }: PageInput): string {
  const title = model === null ? 'No model in production' : `${model.name}, version ${model.version}`;
  return markup`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title><link rel="stylesheet" href="/ui/page.css"><script src="/ui/page.js" defer></script></head>
<body data-version="${model?.version ?? ''}"><a class="skip" href="#content">Skip to content</a>
<header><h1>${title}</h1>
<p><span class="badge ${toneOf(state, model)}" id="state" role="status">${state.words}</span><span id="why">${state.why ?? ''}</span></p>
<p id="moved" class="warn" role="status" hidden>Production is now <span></span>. <a href="/ui">Show it</a></p>
<nav class="quiet" aria-label="Also here"><a href="/docs">API</a> · <a href="/health">health</a> · <a href="/metrics">metrics</a></nav></header>
<main id="content">
${model === null ? nothingYet() : markup`${formSection(model)}${liveSection(state)}${lineageSection(model)}${metricsSection(model)}`}
${historySection(history)}
</main></body></html>
`.text;
}

function toneOf({ words }: LiveState, model: PageModel | null): string {
  if (model === null) return 'bad';
  return words === 'Healthy' ? 'good' : 'warn';
}

function nothingYet(): Markup {
  return markup`<section class="whole"><h2>Nothing is served</h2><p>No version has the alias <code>production</code>. Train one with
<code>retrain start --wait</code>, or promote one with <code>retrain promote MODEL VERSION</code>; it is served within seconds.</p></section>`;
}

function liveSection({ figures, classes }: LiveState): Markup {
  const shown = Object.entries(FIGURES) as [Figure, string][];
  return markup`<section id="live" aria-labelledby="live-title"><h2 id="live-title">Now</h2><dl class="figures">${shown.map(
    ([name, label]) =>
      markup`<div><dt>${label}</dt><dd data-figure="${name}">${figures[name] === null ? '–' : figure(figures[name])}</dd></div>`,
  )}</dl><div id="classes">${classTable(classes)}</div></section>`;
}

function classTable(classes: Readonly<Record<string, number>>): Markup {
  const entries = Object.entries(classes);
  if (entries.length === 0) return NOTHING;
  return markup`<table><caption class="quiet">Predictions by class since this version was loaded</caption><tbody>${entries.map(
    ([name, rows]) => markup`<tr><th scope="row">${name}</th><td class="n">${figure(rows)}</td></tr>`,
  )}</tbody></table>`;
}

function metricsSection({ metrics }: PageModel): Markup {
  const entries = Object.entries(metrics).sort(([a], [b]) => (a < b ? -1 : 1));
  const rows = entries
    .slice(0, MOST_LISTED)
    .map(
      ([name, value]) =>
        markup`<tr><th scope="row">${name}</th><td class="n">${metricFigure(value)}</td></tr>`,
    );
  return markup`<section aria-labelledby="metrics-title"><h2 id="metrics-title">Metrics of its run</h2>${
    rows.length === 0
      ? markup`<p class="quiet">Its run has none, or MLflow does not tell.</p>`
      : markup`<table><tbody>${rows}</tbody></table>`
  }${entries.length > MOST_LISTED ? markup`<p class="quiet">and ${entries.length - MOST_LISTED} more in MLflow</p>` : NOTHING}</section>`;
}

function lineageSection(model: PageModel): Markup {
  const signed = { valid: 'yes, checked', unchecked: 'yes, not checked: no key is configured', no: 'no' }[
    model.signed
  ];
  const rows: [string, string | null, boolean][] = [
    ['alias', model.alias, false],
    ['data hash', model.dataHash, true],
    ['git commit', model.gitCommit, true],
    ['MLflow run', model.runId, true],
    ['signed', signed, false],
    ['engine', model.engine, false],
    ['loaded', moment(model.loadedAt), false],
  ];
  return markup`<section class="tall short" aria-labelledby="lineage-title"><h2 id="lineage-title">Where it comes from</h2><table><tbody>${rows.map(
    ([label, value, hash]) =>
      markup`<tr><th scope="row">${label}</th><td${hash ? markup` class="hash"` : NOTHING}>${value ?? 'not known'}</td></tr>`,
  )}</tbody></table>${webLink(model.link) ? markup`<p><a href="${model.link ?? ''}">This version in MLflow</a></p>` : NOTHING}</section>`;
}

/** No other scheme becomes a link. */
function webLink(link: string | null): boolean {
  return link !== null && /^https?:\/\//.test(link);
}

function historySection(history: ModelHistory | null): Markup {
  if (history === null) {
    return markup`<section class="whole" aria-labelledby="history-title"><h2 id="history-title">History</h2><p class="quiet">MLflow does not tell at the moment.</p></section>`;
  }
  return markup`<section class="whole" aria-labelledby="history-title"><h2 id="history-title">Moves in production</h2>${
    history.moves.length === 0
      ? markup`<p class="quiet">No move is entered in a ledger.</p>`
      : markup`<div class="wide" tabindex="0" role="group" aria-labelledby="history-title"><table><thead><tr><th scope="col">when</th><th scope="col">what</th><th scope="col">from</th><th scope="col">to</th><th scope="col">by</th><th scope="col">why</th></tr></thead><tbody>${history.moves
          .slice(0, MOST_LISTED)
          .map(
            ({ at, event, from, to, by, reason }) =>
              markup`<tr><td>${moment(Date.parse(at))}</td><td>${event}</td><td>${from ?? '–'}</td><td>${to ?? '–'}</td><td>${by}</td><td>${reason}</td></tr>`,
          )}</tbody></table></div>`
  }</section>
<section class="whole" aria-labelledby="versions-title"><h2 id="versions-title">Versions</h2><div class="wide" tabindex="0" role="group" aria-labelledby="versions-title"><table><thead><tr><th scope="col">version</th><th scope="col">made</th><th scope="col">alias</th><th scope="col" class="n">test accuracy</th><th scope="col">decision</th></tr></thead><tbody>${history.versions
    .slice(0, MOST_LISTED)
    .map(
      ({ version, createdAt, aliases, testAccuracy, reason }) =>
        markup`<tr><td>${version}</td><td>${moment(createdAt)}</td><td>${aliases.join(', ')}</td><td class="n">${testAccuracy ?? '–'}</td><td>${reason ?? ''}</td></tr>`,
    )}</tbody></table></div></section>`;
}

/** `2026-03-09 10:00` UTC. */
function moment(at: number): string {
  return Number.isFinite(at) ? `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC` : '–';
}
