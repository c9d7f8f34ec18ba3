import { type JsonOutput } from '../../contracts/json-output';
import { isDetail } from '../../contracts/task-metrics';
import { limitText, verdictText } from '../../ml/gate/check-gate';
import { rowsText, thousands } from '../../ml/gate/number-text';
import { aligned, paint } from '../terminal/screen';
import { type Judgement } from './judge-version';

/** What a judgement came to, for people. */
export function judgementLines(judgement: Judgement): string[] {
  const { evaluation, gate, champion } = judgement;
  const compared = evaluation.comparison?.champion ?? evaluation.champion?.metrics ?? {};
  const rows = Object.entries(evaluation.candidate.metrics)
    .filter(([name]) => !isDetail(name) || gate.some(({ metric }) => metric === name))
    .map(([name, value]) => {
      const check = gate.find(({ metric }) => metric === name);
      const interval = evaluation.candidate.intervals?.[name];
      return [
        `  ${name}`,
        value.toFixed(4),
        interval === undefined ? '' : paint.dim(interval.map((end) => end.toFixed(4)).join(' … ')),
        ...(champion === null ? [] : [compared[name]?.toFixed(4) ?? paint.dim('not scored')]),
        check === undefined
          ? ''
          : check.passed
            ? paint.good(limitText(check))
            : paint.bad(verdictText(check)),
      ];
    });
  const header = [
    '',
    paint.dim(`v${judgement.version}`),
    paint.dim('interval'),
    ...(champion === null ? [] : [paint.dim(`v${champion}${unseenNote(judgement)}`)]),
    paint.dim('gate'),
  ];
  return [
    headline(judgement),
    `  ${judgement.reason}`,
    `  ${rowsLine(judgement)}`,
    ...(judgement.rows.note === null ? [] : [paint.dim(`  note: ${judgement.rows.note}`)]),
    '',
    ...aligned([header, ...rows]),
    '',
    paint.dim('Nothing was trained, moved or written to the registry.'),
  ];
}

/** The same for machines: curves and samples of the evaluation are left out. */
export function judgementJson({ evaluation, gate, ...rest }: Judgement): JsonOutput['evaluate'] {
  const { metrics, intervals = null, confusion } = evaluation.candidate;
  return {
    ...rest,
    metrics,
    intervals,
    confusion,
    gate,
    passed: gate.every(({ passed }) => passed),
    championMetrics: evaluation.champion?.metrics ?? null,
    championError: evaluation.championError,
  };
}

const VERDICT: Record<Judgement['outcome'], string> = {
  promoted: 'would go to production',
  awaiting_approval: 'would wait for approval',
  staged: 'would stay in staging',
  in_production: 'passes its gate',
  gate_failed: 'fails its gate',
};

function headline({ model, version, aliases, outcome }: Judgement): string {
  const named = `${model} v${version}${aliases.length === 0 ? '' : ` (${aliases.join(', ')})`}`;
  const text = `${paint.strong(named)} ${VERDICT[outcome]}`;
  return outcome === 'gate_failed' ? paint.bad(text) : outcome === 'staged' ? text : paint.good(text);
}

function rowsLine({ rows }: Judgement): string {
  const left =
    rows.leftOut === null || rows.leftOut === 0
      ? ''
      : `; ${thousands(rows.leftOut)} that it was trained on ${rows.leftOut === 1 ? 'is' : 'are'} left out`;
  return `${rowsText(rows.rows)}: ${rows.from}${left}`;
}

function unseenNote({ evaluation: { comparison } }: Judgement): string {
  if (comparison === undefined || comparison.rows === comparison.heldOut) return '';
  return ` on ${rowsText(comparison.rows, 'unseen row')}`;
}
