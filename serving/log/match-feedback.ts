import path from 'node:path';
import { FEEDBACK, listDays, listFolders, listSegments } from './day-folder';
import { type Cell, readParquet } from './parquet-file';
import { type PendingLabel, type WriteReport } from './pending-rows';

/** True labels that may wait to be matched; what comes beyond is in its file, but not in the counts. */
const MOST_WAITING = 100_000;
/** Rows of predictions that are looked through in one step, so that no flush waits long for it. */
const ROWS_PER_STEP = 100_000;
/** How often the files are listed again because they were merged meanwhile. */
const MOST_LISTINGS = 5;
const COLUMNS = ['request_id', 'row', 'model_name', 'model_version', 'role', 'prediction'];

type Judged = WriteReport['judged'][number];

/**
 * Finds the predictions that true labels belong to, in the files of the log, newest first, a few files at a time. Memory: the labels
 * that wait.
 */
export class FeedbackMatcher {
  #waiting: PendingLabel[] = [];
  /** Those that are looked for now, by request and row. */
  #wanted = new Map<string, PendingLabel>();
  /** Files that were not looked at yet, the newest last. */
  #files: { file: string; rows: number }[] = [];
  #listings = 0;

  constructor(private readonly dir: string) {}

  add(labels: readonly PendingLabel[]): void {
    this.#waiting.push(...labels.slice(0, MOST_WAITING - this.#waiting.length));
  }

  /** Looks through some files. @returns what was found, by model version */
  async step(): Promise<Judged[]> {
    if (this.#wanted.size === 0 || this.#files.length === 0) {
      this.#wanted.clear();
      if (this.#waiting.length === 0) return [];
      for (const label of this.#waiting) this.#wanted.set(keyOf(label.requestId, label.row), label);
      this.#waiting = [];
      this.#files = await predictionFiles(this.dir);
      this.#listings = 1;
    }
    const judged = new Map<string, Judged>();
    for (let rows = 0; rows < ROWS_PER_STEP && this.#wanted.size > 0;) {
      const next = this.#files.pop();
      if (next === undefined) break;
      rows += next.rows;
      await this.#look(next.file, judged);
    }
    return [...judged.values()];
  }

  async #look(file: string, judged: Map<string, Judged>): Promise<void> {
    const columns = await readParquet(file, COLUMNS).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    });
    // Merged with others, or removed with its day, since it was listed.
    if (columns === null && this.#listings < MOST_LISTINGS) {
      this.#files = await predictionFiles(this.dir);
      this.#listings += 1;
    }
    const column = (name: string): ArrayLike<Cell> => columns?.get(name)?.data ?? [];
    const [ids, rows, names, versions, roles, predictions] = COLUMNS.map(column);
    for (let at = 0; at < (ids?.length ?? 0); at += 1) {
      // A request has one answer; what only listened is compared elsewhere.
      if (roles?.[at] === 'shadow') continue;
      const key = keyOf(String(ids?.[at]), Number(rows?.[at]));
      const label = this.#wanted.get(key);
      if (label === undefined) continue;
      this.#wanted.delete(key);
      const [modelName, modelVersion] = [String(names?.[at]), String(versions?.[at])];
      const version = JSON.stringify([modelName, modelVersion]);
      const sum = judged.get(version) ?? { modelName, modelVersion, rows: 0, right: 0, squaredError: 0 };
      judged.set(version, sum);
      count(sum, predictions?.[at] ?? null, label.label);
    }
  }
}

function count(sum: Judged, prediction: Cell, label: PendingLabel['label']): void {
  sum.rows += 1;
  if (String(prediction) === String(label)) sum.right += 1;
  if (typeof prediction === 'number' && typeof label === 'number')
    sum.squaredError += (prediction - label) ** 2;
}

function keyOf(requestId: string, row: number): string {
  return `${row} ${requestId}`;
}

async function predictionFiles(dir: string): Promise<{ file: string; rows: number }[]> {
  const files: { file: string; rows: number }[] = [];
  for (const day of await listDays(dir)) {
    const ofDay = [];
    for (const folder of await listFolders(dir, day)) {
      if (folder !== FEEDBACK) ofDay.push(...(await listSegments(path.join(dir, day, folder))));
    }
    files.push(...ofDay.sort((a, b) => (path.basename(a.file) < path.basename(b.file) ? -1 : 1)));
  }
  return files;
}
