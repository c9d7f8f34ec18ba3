import { markdownWords } from '../../contracts/plain-words';
import { backtestLine } from './backtest-section';
import { comparedRowsText, comparisonRows } from './comparison-section';
import { baselineTitles, championTitle, metricRows } from './metrics-section';
import { type ReportInput } from './report-input';

/** The verdict and the table of metrics as Markdown, for the summary of a CI job. */
export function reportMarkdown(input: ReportInput): string {
  const { model, version, outcome, reason, evaluation } = input;
  const rows = metricRows(input);
  const columns: { title: string; right: boolean; cells: string[] }[] = [
    { title: 'metric', right: false, cells: rows.map(({ metric }) => metric) },
    { title: 'this model', right: true, cells: rows.map(({ candidate }) => candidate) },
    { title: 'interval', right: false, cells: rows.map(({ interval }) => interval) },
    { title: championTitle(input), right: true, cells: rows.map(({ champion }) => champion) },
    ...baselineTitles(input).map((title, i) => ({
      ...{ title, right: true },
      cells: rows.map(({ baselines }) => baselines[i] ?? ''),
    })),
    {
      title: 'gate',
      right: false,
      cells: rows.map(({ gate, passed }) =>
        passed === undefined ? '' : `${gate} ${passed ? 'passed' : '**failed**'}`,
      ),
    },
  ].filter(({ cells }) => cells.some((cell) => cell !== ''));
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    `### ${markdownWords(version === undefined ? model : `${model}, version ${version}`)}`,
    '',
    ...(outcome === undefined
      ? []
      : [`**${outcome.replace('_', ' ')}**${reason === undefined ? '' : `: ${markdownWords(reason)}`}`, '']),
    line(columns.map(({ title }) => markdownWords(title))),
    line(columns.map(({ right }) => (right ? '--:' : ':--'))),
    ...rows.map((_, row) => line(columns.map(({ cells }) => cells[row] ?? ''))),
    '',
    `${evaluation.rows} held-out rows.`,
    '',
    ...comparisonLines(input),
    ...tried(input),
  ].join('\n');
}

/** The means of the backtest. */
function tried({ training }: ReportInput): string[] {
  const line = backtestLine(training?.backtest);
  return line === null ? [] : [`**Backtest**, ${markdownWords(line)}`, ''];
}

/** Candidate and champion on the rows that neither was trained on. */
function comparisonLines({ evaluation: { comparison }, championVersion }: ReportInput): string[] {
  if (comparison === undefined || championVersion === null) return [];
  const champion = `version ${championVersion}`;
  const rows = comparisonRows(comparison);
  return [
    `**Against ${champion}**: ${markdownWords(comparedRowsText(comparison, champion))}`,
    '',
    ...(rows.length === 0
      ? []
      : [
          `| metric | this model | ${champion} | difference | 95 % interval |`,
          '| :-- | --: | --: | --: | :-- |',
          ...rows.map(
            (row) =>
              `| ${markdownWords(row.metric)} | ${row.candidate} | ${row.champion} | ${row.difference} | ${row.interval} |`,
          ),
          '',
        ]),
  ];
}
