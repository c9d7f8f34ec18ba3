import { decisionOf } from '../model/decision';
import { type Answers, type Label, type ServedModel } from '../model/served-model';

/**
 * Writes answers as JSON. By hand, as it is done for every request: names of classes and what else stays the same is written once, when a
 * model is first asked.
 */
export interface AnswerWriter {
  /** `{"prediction": …, "probability": …, "probabilities": {…}, "decision": …`, without the closing bracket. */
  row(answers: Answers, row: number): string;
  /** `"cutoff": …, "model_name": …, "model_version": …`, to which the request's id belongs. */
  readonly end: string;
}

/** @param name registered model */
export function answerWriter(model: ServedModel, name: string, version: string): AnswerWriter {
  const labels = new Map(model.classes.map((label, k) => [label, { k, json: JSON.stringify(label) }]));
  const keys = model.classes.map((label) => `${JSON.stringify(String(label))}:`);
  const { cutoff } = model;
  const decision = decisionOf(model);

  const probabilitiesOf = (answers: Answers, row: number): Float64Array | null =>
    answers.probabilities === null
      ? null
      : answers.probabilities.subarray(row * keys.length, (row + 1) * keys.length);

  return {
    end:
      `"cutoff":${cutoff === null ? 'null' : JSON.stringify({ positive: cutoff.positive, threshold: cutoff.threshold })}` +
      `,"model_name":${JSON.stringify(name)},"model_version":${JSON.stringify(version)}`,
    row(answers, row) {
      if (answers.values !== null) {
        return `{"prediction":${number(answers.values[row])},"probability":null,"probabilities":null,"decision":${jsonOf(answers.signals?.[row] ?? undefined)}`;
      }
      const label = answers.labels?.[row];
      const known = label === undefined ? undefined : labels.get(label);
      const written = known?.json ?? jsonOf(label);
      const probabilities = probabilitiesOf(answers, row);
      if (probabilities === null) {
        return `{"prediction":${written},"probability":null,"probabilities":null,"decision":null`;
      }
      let each = '';
      for (let k = 0; k < keys.length; k++)
        each += `${k === 0 ? '' : ','}${keys[k]}${number(probabilities[k])}`;
      const decided =
        decision === null ? 'null' : JSON.stringify(decision.of(probabilities[decision.positive]!));
      return `{"prediction":${written},"probability":${known === undefined ? 'null' : number(probabilities[known.k])},"probabilities":{${each}},"decision":${decided}`;
    },
  };
}

/** JSON has no NaN. */
function number(value: number | undefined): string {
  return value !== undefined && Number.isFinite(value) ? String(value) : 'null';
}

function jsonOf(label: Label | undefined): string {
  return label === undefined ? 'null' : JSON.stringify(label);
}
