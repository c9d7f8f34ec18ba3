import { metricOf } from '../../contracts/stage';
import { markdownWords } from '../../contracts/plain-words';
import { type TrainingResult } from '../../contracts/run';
import { isDetail } from '../../contracts/task-metrics';
import { limitText, verdictText } from '../../ml/gate/check-gate';
import { type Standing } from '../../integrations/mlflow/version-standing';
import { rowsText } from '../../ml/gate/number-text';
import { headline } from './headline';
import { aligned, paint } from './screen';

export interface ResultLinks {
  /** The evidence pack of a candidate that waits for approval. */
  evidence?: string;
  temporal: string | null;
  mlflow: string;
  model: string;
}

/**
 * What a run came to, for people: outcome and reason, metrics against the champion's, links.
 *
 * @param standing Where the version stands now; null: not known.
 */
export function resultLines(result: TrainingResult, links: ResultLinks, standing: Standing | null): string[] {
  const champion = result.champion;
  const header = [
    '',
    paint.dim('candidate'),
    champion === null ? '' : paint.dim(`champion v${champion.version}${unseenNote(result)}`),
    paint.dim('gate'),
  ];
  const rows = shownMetrics(result).map(([name, value]) => {
    const check = result.gate.find(({ metric }) => metric === name);
    const itsValue = metricOf(champion?.metrics, name);
    return [
      `  ${name}`,
      value.toFixed(4),
      champion === null ? '' : itsValue === undefined ? paint.dim('not scored') : itsValue.toFixed(4),
      check === undefined ? '' : check.passed ? paint.good(limitText(check)) : paint.bad(verdictText(check)),
    ];
  });
  return [
    headline(result, standing),
    `  ${result.reason}`,
    ...(result.warnings ?? []).map((warning) => paint.dim(`  warning: ${warning}`)),
    '',
    ...aligned([header, ...rows]),
    '',
    ...aligned([
      ...(links.evidence === undefined ? [] : [[paint.dim('  evidence'), links.evidence]]),
      ...(links.temporal === null ? [] : [[paint.dim('  Temporal'), links.temporal]]),
      [paint.dim('  MLflow'), links.mlflow],
      [paint.dim('  model'), links.model],
    ]),
  ];
}

/** The champion's figures are on fewer rows than the candidate's where it was trained on some of them. */
function unseenNote({ comparison }: TrainingResult): string {
  if (comparison == null || comparison.rows === comparison.heldOut) return '';
  return ` on ${rowsText(comparison.rows, 'unseen row')}`;
}

/** What the gate names, and all but averages and single classes. */
function shownMetrics({ metrics, gate }: TrainingResult): [name: string, value: number][] {
  return Object.entries(metrics).filter(
    ([name]) => !isDetail(name) || gate.some(({ metric }) => metric === name),
  );
}

/** The metrics as a Markdown table, for a CI job's summary. */
export function resultMarkdown(result: TrainingResult, links: ResultLinks): string {
  const champion =
    result.champion === null
      ? ''
      : ` champion v${markdownWords(result.champion.version)}${unseenNote(result)} |`;
  const rows = shownMetrics(result).map(([name, value]) => {
    const check = result.gate.find(({ metric }) => metric === name);
    const itsCell =
      result.champion === null
        ? ''
        : ` ${metricOf(result.champion.metrics, name)?.toFixed(4) ?? 'not scored'} |`;
    const gate = check === undefined ? '' : `${limitText(check)} ${check.passed ? 'passed' : '**failed**'}`;
    return `| ${markdownWords(name)} | ${value.toFixed(4)} |${itsCell} ${gate} |`;
  });
  return [
    `### ${markdownWords(result.model)} v${markdownWords(result.modelVersion)}: ${result.outcome.replace('_', ' ')}`,
    '',
    `${markdownWords(result.reason)}.`,
    '',
    `| metric | candidate |${champion} gate |`,
    `|---|---|${result.champion === null ? '' : '---|'}---|`,
    ...rows,
    '',
    `[MLflow run](${links.mlflow})${links.temporal === null ? '' : ` · [Temporal run](${links.temporal})`} · data \`${result.dataHash.slice(0, 12)}\` · key \`${result.pipelineKey.slice(0, 16)}\``,
    '',
  ].join('\n');
}
