import { type AccuracyReport } from '../../contracts/accuracy';
import { type DriftParams, falseAlarmsPerCheck } from '../../contracts/drift-params';
import { RetrainError } from '../../contracts/errors';
import { type Params } from '../../contracts/params';
import { gateLimits, promotionMetric } from '../../contracts/task-metrics';
import { parseModelReference } from '../../integrations/mlflow/registered-run';
import { type ModelVersion } from '../../integrations/mlflow/registry-record';
import { quantile } from '../../ml/metrics/quantile';
import { type Estimate, estimateMetrics } from '../../ml/performance/estimate';
import { byFallingScore, expectedMetrics } from '../../ml/performance/expected-metrics';
import { type Drawn, drawMetrics, intervalOf } from '../../ml/performance/shortfall';
import { fetchChecked, servedVersion } from '../model/fetch-checked';
import { type CheckedModel } from '../model/open-checked';
import { type ServedModel } from '../model/served-model';
import { accuracyCauses } from './accuracy-causes';
import { type DriftDeps, type DriftWatch } from './drift-question';
import { heldOutAnswers } from './held-out-answers';
import { type AnsweredRows, logAnswers, type LoggedAnswers } from './log-answers';
import { answeredOf, decided, measured, positiveClass } from './measure-answers';
import { type TrainingRows, trainingRows } from './training-rows';

/** How right a model version is on what it answered. */
export interface AccuracyQuestion {
  /** `iris-classifier@production`, `iris-classifier@3` */
  model: string;
  from: Date;
  /** Labels that came later are not known yet. */
  to: Date;
  /** `drift` of params.yaml. */
  params: DriftParams;
}

const LEVEL = 0.95;
/** The same rows have the same report. */
const SEED = 0;
/** Held-out rows below this calibrate nothing. */
const LEAST_HELD_OUT = 50;

/**
 * Live accuracy of a model version, from the labels that came until the end of the window, and the accuracy that it is thought to have where none
 * came; both held against its gate and what its held-out rows promised. Reads only, and looks at no clock.
 *
 * @throws RetrainError NOT_FOUND, MODEL_INVALID, VERIFICATION_FAILED, as `fetchChecked`
 */
export async function checkAccuracy(
  deps: DriftDeps,
  { model: named, from, to, params }: AccuracyQuestion,
  { signal, onProgress }: DriftWatch,
): Promise<AccuracyReport> {
  const version = await servedVersion(deps.mlflow, parseModelReference(named), signal);
  const by = { model: version.name, by: { version: version.version } };
  const opened = await fetchChecked(deps.shelf, by, { publicKey: deps.publicKey, signal });
  const { model } = opened;
  try {
    onProgress?.('reading the log');
    const query = { dir: deps.predictions, model: version.name, modelVersion: version.version, from, to };
    const onRows = (rows: number): void => onProgress?.('reading the log', rows);
    const read = await logAnswers({ ...query, signal, onRows }, model);
    const logged = { ...read, all: decided(read.all, model), labelled: decided(read.labelled, model) };
    onProgress?.('answering the held-out rows');
    const known = await recordedOf(deps, version, opened, signal);
    const answered = known === null ? null : await heldOutAnswers(deps.store, known, model, signal);
    const heldOut = answered === null ? null : decided(answered, model);
    onProgress?.('measuring');
    return await judged({
      model,
      version,
      logged,
      recorded: known?.params ?? null,
      heldOut,
      from,
      to,
      params,
    });
  } finally {
    await model.close();
  }
}

/** What the version's run made; null: it is gone, or retrain did not make it. Then no promise is known. */
async function recordedOf(
  deps: DriftDeps,
  version: ModelVersion,
  { provenance }: CheckedModel,
  signal: AbortSignal,
): Promise<TrainingRows | null> {
  if (version.runId === '') return null;
  try {
    const run = await deps.mlflow.runs.get(version.runId, signal);
    return await trainingRows(deps, version, run, provenance, signal);
  } catch (error) {
    if (error instanceof RetrainError && GONE.has(error.code)) return null;
    throw error;
  }
}

const GONE: ReadonlySet<string> = new Set(['NOT_FOUND', 'ARTIFACT_MISSING', 'ARTIFACT_DAMAGED']);

interface Judging {
  model: ServedModel;
  version: ModelVersion;
  logged: LoggedAnswers;
  recorded: Params | null;
  heldOut: AnsweredRows | null;
  from: Date;
  to: Date;
  params: DriftParams;
}

async function judged({
  model,
  version,
  logged,
  recorded,
  heldOut,
  from,
  to,
  params,
}: Judging): Promise<AccuracyReport> {
  const metric = promotionMetric(recorded ?? { task: model.task, promote: {} });
  const positive = positiveClass(model, recorded?.evaluate.positive);
  const gate =
    recorded === null ? [] : gateLimits(recorded.gate).map(([name, limit]) => ({ metric: name, limit }));
  const needed = params.accuracy.labels_min;
  const wanted = [...new Set([metric, ...gate.map((one) => one.metric)])];

  const enough = logged.labels >= needed;
  const live = enough ? await drawMetrics(measured(logged.labelled, model, positive), SEED) : null;
  const promised = heldOut === null ? null : await drawMetrics(measured(heldOut, model, positive), SEED + 1);
  const shownLive = wanted.flatMap((name) => liveFigure(name, live?.[name]));
  const estimate = await estimated(model, logged, heldOut, metric, positive, enough);

  const report: Omit<AccuracyReport, 'causes'> = {
    ...{ model: version.name, modelVersion: version.version, level: LEVEL, metric, gate },
    window: { from: from.toISOString(), to: to.toISOString() },
    rows: logged.rows,
    labels: labelsOf(logged, needed),
    live: shownLive,
    unmeasured: live === null ? [] : wanted.filter((name) => live[name] === undefined),
    promised:
      promised === null || heldOut === null
        ? null
        : { rows: heldOut.truth.length, metrics: valuesOf(promised, wanted) },
    ...estimate.shown,
  };
  const held = { report, live, promised, estimate: estimate.found };
  return { ...report, causes: accuracyCauses({ ...held, falseAlarms: falseAlarmsPerCheck(params) }) };
}

function labelsOf(logged: LoggedAnswers, needed: number): AccuracyReport['labels'] {
  const delays = Float64Array.from(logged.delays).sort();
  return {
    rows: logged.labels,
    share: logged.rows === 0 ? 0 : logged.labels / logged.rows,
    byAnswer: [...logged.byAnswer]
      .map(([answer, count]) => ({ answer, ...count }))
      .sort((a, b) => b.rows - a.rows)
      .slice(0, 20),
    delay: delays.length === 0 ? null : { median: quantile(delays, 0.5), most: delays.at(-1)! },
    ...{ early: logged.early, unknown: logged.unknown, unreadable: logged.unreadable, needed },
  };
}

function liveFigure(metric: string, drawn: Drawn | undefined): AccuracyReport['live'] {
  if (drawn === undefined) return [];
  const { low, high } = intervalOf(drawn, LEVEL) ?? { low: drawn.value, high: drawn.value };
  return [{ metric, value: drawn.value, low, high }];
}

const valuesOf = (
  drawn: Readonly<Record<string, Drawn>>,
  wanted: readonly string[],
): Record<string, number> =>
  Object.fromEntries(
    wanted.flatMap((name): [string, number][] =>
      drawn[name] === undefined ? [] : [[name, drawn[name].value]],
    ),
  );

interface Estimated {
  found: Estimate | null;
  shown: Pick<AccuracyReport, 'estimated' | 'estimatedNot'>;
}

/** Where the metric that decides cannot be estimated, accuracy is. */
async function estimated(
  model: ServedModel,
  logged: LoggedAnswers,
  heldOut: AnsweredRows | null,
  metric: string,
  positive: number | undefined,
  enough: boolean,
): Promise<Estimated> {
  const not = (why: string): Estimated => ({ found: null, shown: { estimated: null, estimatedNot: why } });
  if (model.task === 'regression') {
    return not(
      'a regression tells no probability from which its error could be estimated: it waits for labels',
    );
  }
  if (heldOut === null) return not('the held-out rows, by which probabilities are calibrated, are gone');
  const known = answeredOf(heldOut, positive);
  if (known.outcomes.length < LEAST_HELD_OUT) {
    return not(`${known.outcomes.length} held-out rows with a probability are too few to calibrate by`);
  }
  const { answered } = answeredOf(logged.all, positive);
  if (answered.scores.length < LEAST_HELD_OUT) {
    return not(`${answered.scores.length} answers with a probability are too few`);
  }
  const options = { level: LEVEL, seed: SEED };
  const all = await estimateMetrics(known, answered, options);
  const name = all[metric] === undefined ? 'accuracy' : metric;
  const found = all[name];
  if (found === undefined) return not(`${name} cannot be estimated from these answers`);
  const { value, low, high, heldOut: before } = found;
  const check = enough ? await ownError(logged, known, name, positive, options) : null;
  return {
    found,
    shown: {
      estimated: { metric: name, value, low, high, heldOut: before, rows: logged.rows, check },
      estimatedNot: null,
    },
  };
}

/** The estimate of the labelled rows alone, beside what came true of them. */
async function ownError(
  { labelled, labels }: LoggedAnswers,
  known: Parameters<typeof estimateMetrics>[0],
  metric: string,
  positive: number | undefined,
  options: { level: number; seed: number },
): Promise<NonNullable<AccuracyReport['estimated']>['check']> {
  const { answered, outcomes } = answeredOf(labelled, positive);
  const found = (await estimateMetrics(known, answered, options))[metric];
  const truth = Float64Array.from(outcomes);
  const realised = expectedMetrics(answered, truth, byFallingScore(answered.scores))[metric];
  if (found === undefined || realised === undefined) return null;
  const { value, low, high } = found;
  return { labels, estimated: value, low, high, realised, within: realised >= low && realised <= high };
}
