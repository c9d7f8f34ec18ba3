import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Client } from '@temporalio/client';
import { parse } from 'yaml';
import { readStackFile, type StackFile } from '../../client/stack/stack-file';
import { type CollectReport } from '../../contracts/collect';
import { WORKFLOW } from '../../contracts/names';
import { type TrainingResult } from '../../contracts/run';
import { type MonitorResult } from '../../contracts/watch';
import { connect } from '../../temporal/connect';
import { temporalSettings } from '../../temporal/settings';
import { featuresOf } from './day-features';
import { type Playground } from './playground';
import { Api } from './serving';

const DAY_MS = 86_400_000;
/** Columns of the SQL that no model takes: what tells rows apart, and what is to be predicted. */
const NO_FEATURES = ['day', 'card_id', 'next_price'];

/** What happened on a day; each figure is what the software said. */
export interface Day {
  /** From 0. */
  number: number;
  /** 2026-03-09 */
  date: string;
  /** Rows that were collected. */
  rows: number;
  /** Version that answered the day's requests; null: nothing was asked. */
  version: string | null;
  /** Mean of |predicted - true| / true of the prices that were predicted the day before; null: none were. */
  error: number | null;
  /** Of the check of drift and accuracy; null: there was none. */
  check: Pick<MonitorResult, 'raised' | 'resolved' | 'open' | 'notes' | 'training'> | null;
  /** A training that ended on the day. */
  trained: Pick<TrainingResult, 'outcome' | 'modelVersion' | 'reason' | 'metrics'> | null;
}

export interface Plot {
  /** How many days there are. */
  days: number;
  /** Day of the first training; those before are collected at once. */
  first: number;
  onDay: (line: string) => void;
}

/** Plays the days through, one after the other. @throws Error when a part of the software refuses */
export async function playThrough(playground: Playground, { days, first, onDay }: Plot): Promise<Day[]> {
  const stack = readStackFile(path.join(playground.dir, '.retrain'));
  if (stack === null) throw new Error('the stack is not up');
  const { model, preprocess } = parse(readFileSync(path.join(playground.dir, 'params.yaml'), 'utf8')) as {
    model: string;
    preprocess: { sql: string };
  };
  const settings = temporalSettings(playground.env, stack);
  const connection = await connect(settings);
  const ask = askingOf(new Client({ connection, namespace: settings.namespace }), stack);
  const clock = { now: 0 };
  let api: Api | null = null;
  const told: Day[] = [];
  try {
    let asked: { id: string; cards: string[]; prices: Map<string, number> } | null = null;
    for (let number = first; number < days; number++) {
      const date = dateOf(number);
      clock.now = Date.parse(`${date}T06:00:00Z`);
      const collected = await ask.collect(number === first ? { from: dateOf(0), to: date } : { day: date });
      const day: Day = {
        number,
        date,
        rows: collected,
        version: null,
        error: null,
        check: null,
        trained: null,
      };
      const cards = await featuresOf(playground.dir, date, preprocess.sql, NO_FEATURES);
      if (api === null) {
        day.trained = await ask.train();
        api = await Api.start(
          { model, state: path.join(playground.dir, '.retrain'), mlflow: stack.mlflow.uri },
          () => clock.now,
        );
        await api.serves(day.trained.modelVersion);
      } else {
        if (asked !== null && cards.rows.length > 0) {
          day.error = meanError(asked.prices, cards.prices);
          await api.tell(asked.id, asked.cards, cards.prices);
        }
        await api.written();
        day.check = await ask.check(model, new Date(clock.now).toISOString());
        const { training } = day.check;
        if (training?.workflowId != null && training.how !== 'finished') {
          day.trained = await ask.resultOf(training.workflowId);
          if (day.trained.outcome === 'promoted') await api.serves(day.trained.modelVersion);
        }
      }
      if (cards.rows.length > 0) {
        const answer = await api.predict(`day-${date}`, cards);
        day.version = answer.version;
        asked = { id: `day-${date}`, cards: cards.rows.map(({ card }) => card), prices: answer.prices };
      }
      told.push(day);
      onDay(lineOf(day));
    }
    return told;
  } finally {
    await api?.close();
    await connection.close();
  }
}

interface Asking {
  /** @returns rows */
  collect(days: { day?: string; from?: string; to?: string }): Promise<number>;
  train(): Promise<TrainingResult>;
  check(model: string, now: string): Promise<MonitorResult>;
  resultOf(workflowId: string): Promise<TrainingResult>;
}

/** Starts workflows as a schedule would, and waits for them. */
function askingOf(client: Client, { taskQueue }: StackFile): Asking {
  const run = async <T>(type: string, id: string, input: unknown): Promise<T> =>
    (await client.workflow.execute(type, { workflowId: `demo-${id}`, taskQueue, args: [input] })) as T;
  return {
    async collect(days) {
      const report = await run<CollectReport>(WORKFLOW.collect, `collect-${days.day ?? 'first'}`, {
        ...days,
      });
      const [failed] = report.failed;
      if (failed !== undefined) throw new Error(`${failed.day} was not collected: ${failed.message}`);
      return report.days.reduce((sum, { rows }) => sum + rows, 0);
    },
    train: () => run<TrainingResult>(WORKFLOW.trainingPipeline, 'first-training', {}),
    check: (model, now) =>
      run<MonitorResult>(WORKFLOW.monitorModel, `check-${now.slice(0, 10)}`, { model, now }),
    resultOf: async (workflowId) => (await client.workflow.getHandle(workflowId).result()) as TrainingResult,
  };
}

/** The market's first day is 2026-01-01. */
const dateOf = (number: number): string =>
  new Date(Date.parse('2026-01-01T00:00:00Z') + number * DAY_MS).toISOString().slice(0, 10);

function meanError(
  predicted: ReadonlyMap<string, number>,
  truth: ReadonlyMap<string, number>,
): number | null {
  const errors = [...predicted].flatMap(([card, price]) => {
    const came = truth.get(card);
    return came === undefined ? [] : [Math.abs(price - came) / came];
  });
  return errors.length === 0 ? null : errors.reduce((sum, error) => sum + error, 0) / errors.length;
}

function lineOf({ number, date, rows, version, error, check, trained }: Day): string {
  const parts = [
    `day ${String(number).padStart(3)}  ${date}  ${String(rows).padStart(4)} rows`,
    ...(error === null ? [] : [`off by ${(100 * error).toFixed(1)} %`]),
    ...(version === null ? [] : [`v${version} answers`]),
    ...(check?.raised ?? []).map((title) => `ALARM ${title}`),
    ...(check?.resolved ?? []).map((title) => `resolved: ${title}`),
    ...(trained === null ? [] : [`trained v${trained.modelVersion}: ${trained.outcome}`]),
  ];
  return parts.join('  ');
}
