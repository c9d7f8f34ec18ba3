import { RetrainError } from '../../contracts/errors';
import { LedgerEntry } from '../../contracts/steward';
import { type Mlflow } from './client';

/** Holds one run per model, whose artifacts are the model's ledger. */
export const LEDGER_EXPERIMENT = 'retrain-ledgers';

const MODEL_TAG = 'ledger_of';

/** Tags of the registered model: where its ledger is, and how far it goes. */
export const LEDGER_TAG = { run: 'ledger_run_id', entries: 'ledger_entries', head: 'ledger_head' } as const;

/** A file has so many entries at most, and begins at a multiple of it or later. */
export const LEDGER_FILE = 100;

const FOLDER = 'ledger';
const NAME = /^(\d{8})-(\d{8})\.jsonl$/;

/** No ledger file is larger, in bytes: a hundred entries of a few KB each. */
const MAX_FILE_BYTES = 2_000_000;

export interface MirroredLedger {
  entries: LedgerEntry[];
  /** What the registered model's tags say; null: they say nothing. */
  claimed: { entries: number; head: string } | null;
}

/**
 * The ledgers of models in MLflow, as JSON lines. A file is named by the numbers of its first and last entry and never
 * changes: whoever writes it again, however late, writes the same bytes. The tags come last.
 */
export class LedgerMirror {
  constructor(private readonly mlflow: Mlflow) {}

  /**
   * Writes entries, which go on where MLflow ends or begin earlier. Idempotent.
   *
   * @returns how many entries MLflow has now
   */
  async append(model: string, entries: readonly LedgerEntry[], signal?: AbortSignal): Promise<number> {
    const last = entries.at(-1);
    if (last === undefined) return 0;
    const runId = await this.ensureRun(model, signal);
    const { artifactUri } = await this.mlflow.runs.get(runId, signal);
    for (const piece of pieces(entries)) {
      const text = piece.map((entry) => `${JSON.stringify(entry)}\n`).join('');
      await this.mlflow.artifacts.uploadBytes(
        artifactUri,
        `${FOLDER}/${fileName(piece)}`,
        Buffer.from(text),
        signal,
      );
    }
    const total = last.index + 1;
    await this.mlflow.registry.setModelTags(
      model,
      { [LEDGER_TAG.head]: last.hash, [LEDGER_TAG.entries]: String(total) },
      signal,
    );
    return total;
  }

  /**
   * The ledger as MLflow has it; null: it has none.
   *
   * @param newest so many of the newest entries at least; all by default
   * @throws RetrainError LEDGER_BROKEN for a file that is no ledger or one that is missing
   */
  async read(model: string, newest = Infinity, signal?: AbortSignal): Promise<MirroredLedger | null> {
    const tags = (await this.mlflow.registry.findModel(model, signal))?.tags ?? {};
    const runId = tags[LEDGER_TAG.run];
    if (runId === undefined || runId === '') return null;
    const { artifactUri } = await this.mlflow.runs.get(runId, signal);
    const files = cover(
      (await this.mlflow.artifacts.list(artifactUri, FOLDER, signal)).map(({ path }) => path),
    );
    const total = (files.at(-1)?.last ?? -1) + 1;
    const wanted = files.filter(({ last }) => last >= total - newest);
    const entries: LedgerEntry[] = [];
    for (const file of wanted) {
      const bytes = await this.mlflow.artifacts.downloadBytes(artifactUri, `${FOLDER}/${file.name}`, signal);
      entries.push(
        ...parse(model, file, bytes).slice(Math.max(0, (entries.at(-1)?.index ?? -1) + 1 - file.first)),
      );
    }
    const head = tags[LEDGER_TAG.head];
    const count = Number(tags[LEDGER_TAG.entries] ?? NaN);
    return {
      entries,
      claimed: head === undefined || !Number.isInteger(count) ? null : { entries: count, head },
    };
  }

  private async ensureRun(model: string, signal?: AbortSignal): Promise<string> {
    const known = (await this.mlflow.registry.findModel(model, signal))?.tags[LEDGER_TAG.run];
    if (known !== undefined && known !== '') return known;
    const experimentId = await this.mlflow.experiments.ensure(LEDGER_EXPERIMENT, signal);
    const run = await this.mlflow.runs.findOrCreateTagged(
      experimentId,
      `ledger of ${model}`,
      [MODEL_TAG, model],
      signal,
    );
    await this.mlflow.registry.setModelTags(model, { [LEDGER_TAG.run]: run.runId }, signal);
    return run.runId;
  }
}

interface LedgerFile {
  name: string;
  first: number;
  last: number;
}

/** Entries by the file that they go into. */
function pieces(entries: readonly LedgerEntry[]): LedgerEntry[][] {
  const made: LedgerEntry[][] = [];
  for (const entry of entries) {
    if (made.length === 0 || entry.index % LEDGER_FILE === 0) made.push([]);
    made.at(-1)?.push(entry);
  }
  return made;
}

function fileName(piece: readonly LedgerEntry[]): string {
  const digits = (index = 0): string => String(index).padStart(8, '0');
  return `${digits(piece[0]?.index)}-${digits(piece.at(-1)?.index)}.jsonl`;
}

/** The fewest files that hold everything: after each, the one that goes furthest of those that leave no gap. */
function cover(names: readonly string[]): LedgerFile[] {
  const files = names.flatMap((name): LedgerFile[] => {
    const [, first, last] = NAME.exec(name) ?? [];
    return first === undefined || last === undefined
      ? []
      : [{ name, first: Number(first), last: Number(last) }];
  });
  const chosen: LedgerFile[] = [];
  for (let next = 0; ;) {
    const best = files
      .filter(({ first, last }) => first <= next && last >= next)
      .sort((a, b) => b.last - a.last || b.first - a.first)[0];
    if (best === undefined) {
      const beyond = files.find(({ first }) => first > next);
      if (beyond === undefined) return chosen;
      throw new RetrainError(
        'LEDGER_BROKEN',
        `entry ${next} is missing: MLflow has a file of later ones, ${beyond.name}, and none with this one`,
      );
    }
    chosen.push(best);
    next = best.last + 1;
  }
}

function parse(model: string, { name, first, last }: LedgerFile, bytes: Uint8Array): LedgerEntry[] {
  const broken = (why: string, cause?: unknown): RetrainError =>
    new RetrainError('LEDGER_BROKEN', `${name} of ${model}’s ledger ${why}`, { cause });
  if (bytes.byteLength > MAX_FILE_BYTES)
    throw broken(`has ${bytes.byteLength} bytes, expected at most ${MAX_FILE_BYTES}`);
  const lines = Buffer.from(bytes).toString('utf8').split('\n').filter(Boolean);
  if (lines.length !== last - first + 1)
    throw broken(`has ${lines.length} entries, expected ${last - first + 1}`);
  return lines.map((line, at) => {
    try {
      return LedgerEntry.parse(JSON.parse(line));
    } catch (cause) {
      throw broken(`cannot be read at entry ${first + at}`, cause);
    }
  });
}
