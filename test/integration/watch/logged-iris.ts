import { readFileSync } from 'node:fs';
import path from 'node:path';
import { openPredictionLog } from '../../../serving/log/open-prediction-log';
import { column, logged, modelOf } from '../../serving/log/logged';
import { type TestProject } from '../pipeline/test-project';

export const DAY_MS = 86_400_000;

const CLASSES = ['setosa', 'versicolor', 'virginica'];

/** What a day's rows are like. */
export interface Day {
  /** The day's begin, ISO 8601. */
  day: string;
  rows: number;
  /** Added to each cell of the third column. */
  shift?: number;
  /** Share of the answers that are wrong; absent: 0.05. */
  wrong?: number;
  /** Share of the answers that get a label; absent: none. */
  labelled?: number;
}

/** Writes days of predictions of a version into a project's log, answers taken from iris itself, with their labels an hour later. */
export async function writeLog(project: TestProject, version: string, days: readonly Day[]): Promise<void> {
  const [header = '', ...lines] = readFileSync(project.path('data/iris.csv'), 'utf8').trim().split('\n');
  const names = header.split(',').slice(0, 4);
  const rows = lines.slice(0, 150).map((line) => line.split(','));
  const model = modelOf(CLASSES);
  for (const { day, rows: count, shift = 0, wrong = 0.05, labelled = 0 } of days) {
    let at = Date.parse(day);
    const log = openPredictionLog({
      dir: path.join(project.dir, '.retrain', 'predictions'),
      retentionDays: 3650,
      now: () => at,
    });
    const step = Math.floor(DAY_MS / 2 / count);
    const truths: string[] = [];
    for (let row = 0; row < count; row++) {
      const cells = rows[(row * 37) % rows.length] ?? [];
      const truth = cells[4] ?? '';
      truths.push(truth);
      const isWrong = (row * 61) % 100 < wrong * 100;
      const answer = isWrong ? CLASSES[(CLASSES.indexOf(truth) + 1) % 3]! : truth;
      const columns = names.map((name, place) =>
        column(name, [Number(cells[place]) + (place === 2 ? shift : 0)], 'number'),
      );
      const requestId = `${day}-${row}`;
      log.add(
        logged({
          ...{ model, requestId, columns, version, name: project.model, answers: [[answer, 0.9]] },
          at: at + row * step,
        }),
      );
    }
    at += count * step + 3_600_000;
    truths.forEach((truth, row) => {
      if ((row * 17) % 100 < labelled * 100) log.feedback(`${day}-${row}`, 0, truth);
    });
    await log.close();
  }
}
