import { backtestPlots } from './backtest-section';
import { type Scores } from '../../contracts/stage';
import { type PlotData, type Series } from './plot';
import { championTitle } from './metrics-section';
import { type ReportInput } from './report-input';

const UNIT = [0, 1] as const;
/** More classes than this would be a tangle of lines. */
const MAX_CLASSES = 4;

type Curve = NonNullable<Scores['curves']>[number];

/** ROC, precision-recall and calibration of a classifier, true against predicted values of a regression. */
export function curvePlots(input: ReportInput): PlotData[] {
  return [...ofEvaluation(input), ...backtestPlots(input.training?.backtest)];
}

function ofEvaluation(input: ReportInput): PlotData[] {
  const { candidate, champion } = input.evaluation;
  if (candidate.pairs !== undefined) return [valuesPlot(candidate.pairs)];
  const mine = (candidate.curves ?? []).slice(0, MAX_CLASSES);
  const its = mine.length === 1 ? (champion?.curves ?? []).slice(0, 1) : [];
  if (mine.length === 0) return [];
  const named = (curve: Curve): string => (mine.length === 1 ? 'this model' : curve.label);
  const series = (of: (curve: Curve) => Series['points'], mark: Series['mark']): Series[] => [
    ...mine.map((curve) => ({ label: named(curve), points: of(curve), mark })),
    ...its.map((curve) => ({ label: championTitle(input), points: of(curve), mark })),
  ];
  const about = mine.length === 1 ? ` of ${mine[0]?.label ?? ''}` : '';
  return [
    {
      name: 'roc',
      series: series(({ roc }) => roc, 'line'),
      options: { title: `ROC${about}`, x: 'false positive rate', y: 'recall', domain: UNIT, diagonal: true },
    },
    {
      name: 'precision-recall',
      series: series(({ precisionRecall }) => precisionRecall, 'line'),
      options: { title: `Precision and recall${about}`, x: 'recall', y: 'precision', domain: UNIT },
    },
    {
      name: 'calibration',
      series: series(({ calibration }) => calibration.map((bin) => [bin.predicted, bin.observed]), 'line'),
      options: {
        title: `Calibration${about}`,
        x: 'mean predicted probability',
        y: 'observed share',
        domain: UNIT,
        diagonal: true,
      },
    },
  ];
}

function valuesPlot(pairs: readonly [number, number][]): PlotData {
  const all = pairs.flat();
  const domain = [Math.min(...all), Math.max(...all)] as const;
  return {
    name: 'predicted',
    series: [{ label: 'held-out rows', points: pairs, mark: 'dots' }],
    options: { title: 'Predicted against true', x: 'true value', y: 'predicted', domain, diagonal: true },
  };
}
