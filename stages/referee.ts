import { listed, RetrainError } from '../contracts/errors';
import { type EvaluateParams } from '../contracts/params';
import { type Metrics, type Scores, type TableSchema } from '../contracts/stage';
import { classNumbersOf, type StoredTable, targetValues } from '../ml/dataset/table-artifact';
import { type BootstrapOptions, intervalsOf } from '../ml/metrics/bootstrap';
import { Draws, measureOf, type Predictions } from '../ml/metrics/draws';
import { type Probabilities } from '../ml/metrics/probabilities';
import { type ClassPredictions, classView, scoreClasses } from '../ml/metrics/score-classes';
import { scoreValues } from '../ml/metrics/score-values';
import { crossFitThreshold, type Cutoff } from '../ml/metrics/threshold';
import { type Scored } from '../ml/scoring/scoring-table';

/** What a model said, and its labels in the order of its probabilities. */
export interface Judged {
  said: Scored;
  classes: readonly string[];
}

/** Knows the true answers of the held-out rows, and holds what models said against them. */
export class Referee {
  readonly #bootstrap: BootstrapOptions;
  readonly #rows: number;
  readonly #labels: Uint32Array | undefined;
  readonly #values: Float64Array | undefined;
  readonly #positive: number | undefined;

  constructor(
    table: StoredTable,
    private readonly schema: TableSchema,
    private readonly params: EvaluateParams,
  ) {
    this.#rows = table.rows;
    this.#bootstrap = { resamples: params.resamples, level: params.confidence, seed: params.seed };
    if (schema.task === 'regression') this.#values = targetValues(table);
    else this.#labels = classNumbersOf(table, schema);
    this.#positive = positiveClass(schema, params);
  }

  /** Two classes: the positive one. */
  get positive(): string | undefined {
    return this.#positive === undefined ? undefined : this.schema.classes[this.#positive];
  }

  /**
   * @param classes Labels in the order of the model's probabilities.
   * @throws RetrainError MODEL_INVALID when the model does not answer the question, or answers in other classes only
   */
  score(said: Scored, classes: readonly string[]): Scores {
    if (this.#values !== undefined) return scoreValues(this.#values, valuesOf(said), this.#bootstrap.seed);
    return scoreClasses(this.#classPredictions(said, classes));
  }

  /**
   * Begins to measure models on draws of the rows; see `Draws`.
   *
   * @throws RetrainError as `score`
   */
  draw(models: readonly Judged[]): Draws {
    return new Draws({
      ...this.#bootstrap,
      rows: this.#rows,
      models: models.map((one) => this.#predictions(one)),
    });
  }

  /** All metrics of models on the rows as they are. */
  measure(models: readonly Judged[]): Metrics[] {
    return models.map((one) => measureOf(this.#predictions(one), this.#bootstrap.resamples)());
  }

  /** Scores with the intervals that draws of one model give; as they are where none were drawn. */
  withIntervals({ curves, ...scores }: Scores, drawn: readonly Metrics[][]): Scores {
    const intervals = intervalsOf(drawn.flat(), this.#bootstrap.level);
    return {
      ...scores,
      ...(drawn.length === 0 ? {} : { intervals }),
      ...(curves === undefined ? {} : { curves }),
    };
  }

  #predictions({ said, classes }: Judged): Predictions {
    if (this.#values === undefined) return { kind: 'classes', said: this.#classPredictions(said, classes) };
    return { kind: 'values', truth: this.#values, predicted: valuesOf(said) };
  }

  #classPredictions(said: Scored, classes: readonly string[]): ClassPredictions {
    const truth = this.#labels ?? new Uint32Array();
    const given = labelsOf(said);
    this.#requireCommonClass(given, classes);
    // A champion may know classes that this table lacks: a label of its own is then a wrong answer of its own.
    const { labels, numbers } = numbered(given, this.schema.classes);
    return {
      truth,
      predicted: numbers,
      labels,
      classes: this.schema.classes.length,
      probabilities: this.#probabilities(said, classes),
      positive: this.#positive,
    };
  }

  /** `[n]` 1 or 0 for right or wrong; the absolute error of a regression. */
  merit(said: Scored): Float64Array {
    if (this.#values !== undefined) {
      const predicted = valuesOf(said);
      return this.#values.map((value, row) => Math.abs(value - (predicted[row] ?? 0)));
    }
    const given = labelsOf(said);
    const { classes } = this.schema;
    const truth = this.#labels ?? new Uint32Array();
    const merit = new Float64Array(truth.length);
    for (let row = 0; row < truth.length; row++) merit[row] = classes[truth[row]!] === given[row] ? 1 : 0;
    return merit;
  }

  /** The cut-off that params ask for; undefined without such a wish, or with too few rows of a class. */
  threshold(said: Scored): Cutoff | undefined {
    const { threshold: rule } = this.params;
    const probabilities = this.#probabilities(said, this.schema.classes);
    if (rule === undefined || this.#labels === undefined) return undefined;
    if (probabilities?.classes !== 2 || this.#positive === undefined) {
      throw new RetrainError(
        'CONFIG_INVALID',
        `evaluate.threshold is for two classes with probabilities, but the model has ${this.schema.classes.length} classes; leave it out`,
      );
    }
    const { positive, scores } = classView(this.#labels, probabilities, this.#positive);
    return crossFitThreshold(positive, scores, rule, this.params.seed);
  }

  /** An accuracy of 0 would say that the model is bad, where it answers another question. */
  #requireCommonClass(given: readonly string[], known: readonly string[]): void {
    const { classes } = this.schema;
    const isCommon = (label: string): boolean => classes.includes(label);
    if (given.length === 0 || known.some(isCommon) || given.some(isCommon)) return;
    const its = listed([...new Set([...known, ...given])]);
    throw new RetrainError(
      'MODEL_INVALID',
      `it knows the classes ${its}, none of which is in the data, which has ${listed(classes)}`,
    );
  }

  /** Columns of a model's probabilities in the order of the table's classes; null when it lacks one of them. */
  #probabilities({ probabilities, labels }: Scored, classes: readonly string[]): Probabilities | null {
    const wanted = this.schema.classes.map((name) => classes.indexOf(name));
    if (probabilities === null || labels === null || wanted.includes(-1)) return null;
    const width = probabilities.length / labels.length;
    if (width !== classes.length) return null;
    const values = new Float64Array(labels.length * wanted.length);
    for (let row = 0; row < labels.length; row++) {
      for (const [k, from] of wanted.entries()) {
        values[row * wanted.length + k] = probabilities[row * width + from] ?? 0;
      }
    }
    return { values, classes: wanted.length };
  }
}

/** `[n]` numbers of labels: the known ones keep theirs, others come after them in the order of their appearance. */
function numbered(
  given: readonly string[],
  known: readonly string[],
): { labels: string[]; numbers: Uint32Array } {
  const numberOf = new Map(known.map((label, number) => [label, number]));
  const numbers = new Uint32Array(given.length);
  for (let row = 0; row < given.length; row++) {
    const label = given[row]!;
    let number = numberOf.get(label);
    if (number === undefined) numberOf.set(label, (number = numberOf.size));
    numbers[row] = number;
  }
  return { labels: [...numberOf.keys()], numbers };
}

/** Number of the positive one of two classes; undefined for more, and for a regression. */
function positiveClass({ classes }: TableSchema, { positive }: EvaluateParams): number | undefined {
  if (positive === undefined) return classes.length === 2 ? 1 : undefined;
  const at = classes.indexOf(positive);
  if (at !== -1 && classes.length === 2) return at;
  throw new RetrainError(
    'CONFIG_INVALID',
    `evaluate.positive must be one of two classes, got "${positive}"; the classes are ${listed(classes)}`,
  );
}

function labelsOf({ labels }: Scored): string[] {
  if (labels !== null) return labels;
  throw new RetrainError('MODEL_INVALID', 'the model has no output "label", expected a classifier');
}

function valuesOf({ values }: Scored): Float64Array {
  if (values !== null) return values;
  throw new RetrainError('MODEL_INVALID', 'the model has no output "prediction", expected a regression');
}
