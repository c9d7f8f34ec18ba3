import type { Notice } from '../../contracts/notice';

/** Most metrics shown: a notice is read on a phone. */
const MOST_METRICS = 6;

/** Metrics as people read them, four decimals: `[['accuracy', '0.9667'], …]`. */
export function noticeMetrics(notice: Notice): [name: string, value: string][] {
  return Object.entries(notice.metrics ?? {})
    .slice(0, MOST_METRICS)
    .map(([name, value]) => [name, Number.isInteger(value) ? String(value) : value.toFixed(4)]);
}

/** Pages to go on to, what to do first first. */
export function linkRows(notice: Notice): [name: string, url: string][] {
  const rows: [string, string | undefined][] = [
    ['Evidence', notice.links.evidence],
    ['Report', notice.links.report],
    ['Temporal', notice.links.temporal],
    ['MLflow', notice.links.mlflow],
  ];
  return rows.filter((row): row is [string, string] => row[1] !== undefined);
}

/** A whole notice as plain text: what happened, what it means, the figures, where to look, and whose it is. */
export function plainText(notice: Notice): string {
  const paragraphs = [
    notice.title,
    notice.text,
    aligned(noticeMetrics(notice)),
    aligned(linkRows(notice)),
    [`Workflow ${notice.workflowId}`, ...keyOf(notice), notice.at].join(', '),
  ];
  return `${paragraphs.filter((paragraph) => paragraph !== '').join('\n\n')}\n`;
}

/** An alarm is about no run, and has none. */
const keyOf = ({ pipelineKey }: Notice): string[] =>
  pipelineKey === '' ? [] : [`key ${pipelineKey.slice(0, 12)}`];

function aligned(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(0, ...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join('\n');
}
