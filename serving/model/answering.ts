import { type LabelType } from '../../integrations/mlflow/label-type';
import { type Answering } from './forest-model';
import { type ModelCard } from './model-card';
import { type Label } from './served-model';

const OF_TEXT: Record<LabelType, (text: string) => Label> = {
  int64: Number,
  float64: Number,
  bool: (text) => text.toLowerCase() === 'true',
  str: (text) => text,
};

/** What makes a label of the target's own type of the graph's: Python's loader does it for models of ours, nobody for others. */
export function toLabel({ ours }: ModelCard): (value: string | number | bigint) => Label {
  if (ours !== null) {
    const convert = OF_TEXT[ours.labelType];
    return (value) => convert(String(value));
  }
  return (value) => (typeof value === 'string' ? value : Number(value));
}

/** The cut-off is kept by the class's text. */
export function answering(classes: readonly Label[], { thresholds, signal }: ModelCard): Answering {
  const [entry, another] = Object.entries(thresholds);
  if (entry === undefined || another !== undefined) return { classes, cutoff: null, signal };
  const [text, threshold] = entry;
  const positive = classes.find((label) => textsOf(label).includes(text));
  return { classes, cutoff: positive === undefined ? null : { positive, threshold }, signal };
}

/** How a label may be written where it is a text: `True` and `true` are one. */
const textsOf = (label: Label): readonly string[] =>
  typeof label === 'boolean'
    ? label
      ? ['True', 'true', 'TRUE']
      : ['False', 'false', 'FALSE']
    : [String(label)];
