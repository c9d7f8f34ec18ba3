import { type Metrics } from '../../contracts/stage';
import { measureClasses } from '../../ml/metrics/score-classes';
import { regressionScores } from '../../ml/metrics/regression';
import { type Answered } from '../../ml/performance/expected-metrics';
import { type Measured } from '../../ml/performance/shortfall';
import { type ServedModel } from '../model/served-model';
import { type AnsweredRows, unknownClass } from './log-answers';

type Model = Pick<ServedModel, 'task' | 'classes' | 'cutoff'>;

/** Draws that areas under curves are measured for. */
const DRAWS = 300;

/** Number of the positive class of two, by the name that params.yaml or the cut-off gives it, else the last; undefined for more. */
export function positiveClass({ classes, cutoff }: Model, named?: string): number | undefined {
  if (classes.length !== 2) return undefined;
  const wanted = named ?? (cutoff === null ? undefined : String(cutoff.positive));
  const found = wanted === undefined ? -1 : classes.findIndex((one) => isNamed(String(one), wanted));
  return found === -1 ? 1 : found;
}

const isNamed = (label: string, name: string): boolean =>
  label === name || (/^(true|false)$/i.test(name) && label === name.toLowerCase());

/**
 * Answers by the cut-off that the evaluation chose, by which it measured, too; the log and the model tell the most probable class. As they
 * are where there is no cut-off, or no probability.
 */
export function decided(rows: AnsweredRows, model: Model): AnsweredRows {
  const positive = model.cutoff === null ? undefined : positiveClass(model);
  if (model.cutoff === null || positive === undefined) return rows;
  const { threshold } = model.cutoff;
  const predicted = [...rows.predicted];
  const probability = [...rows.probability];
  rows.predicted.forEach((answer, row) => {
    const its = rows.probability[row]!;
    if (Number.isNaN(its)) return;
    const ofPositive = answer === positive ? its : 1 - its;
    const decision = ofPositive >= threshold ? positive : 1 - positive;
    predicted[row] = decision;
    probability[row] = decision === positive ? ofPositive : 1 - ofPositive;
  });
  return { ...rows, predicted, probability };
}

/** Rows with their truth, ready to be measured; what an answer's own probability cannot give is not among the metrics. */
export function measured(rows: AnsweredRows, model: Model, positive: number | undefined): Measured {
  const { predicted, truth } = rows;
  if (model.task === 'regression') {
    const [known, said] = [Float64Array.from(truth), Float64Array.from(predicted)];
    return { rows: known.length, measure: (weights) => regressionScores(known, said, weights) };
  }
  const isStrange = truth.includes(unknownClass(model));
  const labels = [...model.classes.map(String), ...(isStrange ? ['(none of its classes)'] : [])];
  const measure = measureClasses(
    {
      truth: Uint32Array.from(truth),
      predicted: Uint32Array.from(predicted),
      labels,
      classes: model.classes.length,
      probabilities: isStrange ? null : bothProbabilities(rows, model),
      positive,
    },
    DRAWS,
  );
  return { rows: truth.length, measure: (weights): Metrics => measure(weights) };
}

/** Of two classes the probability of one tells that of the other. */
function bothProbabilities(
  { predicted, probability }: AnsweredRows,
  { classes }: Model,
): { values: Float64Array; classes: number } | null {
  if (classes.length !== 2 || probability.some((one) => Number.isNaN(one))) return null;
  const values = new Float64Array(2 * predicted.length);
  predicted.forEach((answer, row) => {
    values[2 * row + answer] = probability[row]!;
    values[2 * row + 1 - answer] = 1 - probability[row]!;
  });
  return { values, classes: 2 };
}

/** Answers as `estimateMetrics` takes them, rows without a probability left out. */
export function answeredOf(
  { predicted, probability, truth }: AnsweredRows,
  positive: number | undefined,
): { answered: Answered; outcomes: Uint8Array } {
  const rows = Uint32Array.from(predicted.keys()).filter((row) => !Number.isNaN(probability[row]!));
  const ofPositive = (row: number): number =>
    positive === undefined || predicted[row] === positive ? probability[row]! : 1 - probability[row]!;
  return {
    answered: {
      scores: Float64Array.from(rows, ofPositive),
      positive:
        positive === undefined ? null : Uint8Array.from(rows, (row) => (predicted[row] === positive ? 1 : 0)),
    },
    outcomes: Uint8Array.from(rows, (row) => (truth[row] === (positive ?? predicted[row]) ? 1 : 0)),
  };
}
