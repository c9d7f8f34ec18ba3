import { createHash } from 'node:crypto';
import { lstat, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { milliseconds } from '../../contracts/duration';
import { type CollectedDay, type NamedSource } from '../../contracts/collect';
import { type CollectParams } from '../../contracts/collect-params';
import { type ContainerSource, isHttp } from '../../contracts/collect-source';
import { RetrainError } from '../../contracts/errors';
import { type StageProgress } from '../../contracts/stage';
import { SecretMask } from '../../integrations/docker/secret-mask';
import { writeAtomically } from '../../integrations/files/atomic-write';
import { lockFile } from '../../integrations/files/file-lock';
import { type SourceClient } from '../../integrations/http-source/source-client';
import { digestFile } from '../../ml/hashing/digest-file';
import { afterWatermark, type Watermark } from './after-watermark';
import { askContainer } from './ask-container';
import { askHttp } from './ask-http';
import { dayOf } from './days';
import { fitRows, type FittedRows } from './fit-rows';
import { folderInside } from './folders';
import { keepCopy, placeFile, type WritingStep } from './place-file';
import { askedHash, type CollectRecord, type SourceAnswer, SourceRecords } from './record';
import { quarantineText } from './quarantine';
import { type SourceContainers } from './source-containers';
import { tableBytes } from './table-bytes';
import { Untrained } from './untrained';

export interface CollectDeps {
  /** The project's folder, absolute. */
  project: string;
  client: SourceClient;
  /** Runs sources that are containers. */
  containers: SourceContainers;
  /** Called after each step that wrote; what it throws ends the collection there. */
  onStep?: (step: WritingStep) => void;
}

export interface DayQuestion extends NamedSource {
  collect: Pick<CollectParams, 'records' | 'then' | 'timezone'>;
  day: string;
  /** What counts as the present. */
  now: Date;
  /** Who collects: the same for each attempt of one run. */
  by: string;
  signal?: AbortSignal | undefined;
  onProgress?: (rows: number) => void;
  /** How far a container is. */
  onPhase?: (progress: StageProgress) => void;
}

/** Longer than a day of a source takes; then somebody should look. */
const LOCK_MS = 30 * 60_000;
const MOST_REPLACED = 5;

/**
 * Fetches one day of one source into its file, whole or not at all. The same day twice changes nothing; a day of which the source says
 * something else than before gets the new content, and a copy of the old one is kept. One process at a time works on a source.
 *
 * In order: the mark that a training is due, the file, refused rows, the record, which the watermark is part of. What ends in between is
 * made up for by the next attempt: a file without its record is fetched again and found to be the same.
 *
 * @throws RetrainError as `SourceClient.ask`; SOURCE_INVALID; CONFIG_INVALID, DISK_FULL, STORAGE_REFUSED, WORKSPACE_BUSY
 */
export async function collectDay(deps: CollectDeps, question: DayQuestion): Promise<CollectedDay> {
  const { name, source, collect, signal } = question;
  const root = await folderInside(deps.project, collect.records, 'collect.records');
  const records = new SourceRecords(
    await folderInside(deps.project, path.join(collect.records, name), 'collect.records'),
  );
  const lock = path.join(records.folder, '.lock');
  await requireNoLink(lock);
  const release = await lockFile(lock, {
    timeoutMs: LOCK_MS + (isHttp(source) ? 0 : milliseconds(source.timeout)),
    ...(signal && { signal }),
  });
  try {
    await folderInside(deps.project, source.to, `collect.sources.${name}.to`);
    return await new DayCollection(deps, question, records, new Untrained(root)).run();
  } finally {
    await release();
  }
}

/** Whoever takes a lock empties its file; anybody may have put a link to another one into the project. */
async function requireNoLink(file: string): Promise<void> {
  const found = await lstat(file).catch(() => null);
  if (found === null || found.isFile()) return;
  throw new RetrainError('CONFIG_INVALID', `${file} is no regular file; remove it, then collect again`);
}

class DayCollection {
  private readonly step: (step: WritingStep) => void;

  constructor(
    private readonly deps: CollectDeps,
    private readonly question: DayQuestion,
    private readonly records: SourceRecords,
    private readonly untrained: Untrained,
  ) {
    this.step = deps.onStep ?? (() => undefined);
  }

  async run(): Promise<CollectedDay> {
    const { source, day, by } = this.question;
    const record = await this.records.read(day);
    const before = (await this.records.watermarkBefore(day)) ?? {
      value: source.watermark?.start ?? '',
      boundary: [],
    };
    const intact = record !== null && (await this.isIntact(record));
    const asked = askedHash(source, this.question.collect);
    const comparable = intact && record.asked === asked && isDeepStrictEqual(record.before, before);
    const answer = await this.ask(before.value, comparable ? record : null);
    if (answer === 'unchanged') {
      // Asked with a record in hand only.
      if (record === null)
        throw new RetrainError(
          'SOURCE_INVALID',
          `source ${this.question.name} answered 304 to a question without a condition; tell whoever runs it`,
        );
      if (this.isOver() && !record.settled) await this.records.write({ ...record, settled: true });
      return told(record, record.by === by ? record.outcome : 'unchanged');
    }
    const fitted = await this.fit(answer.rows);
    const fresh = afterWatermark(source, fitted.names, fitted.rows, before);
    return this.keep(record, intact, await this.describe(asked, answer, fitted, fresh, before));
  }

  private async ask(watermark: string, known: CollectRecord | null): Promise<SourceAnswer | 'unchanged'> {
    const { source, name, day, signal, onProgress, onPhase, collect } = this.question;
    if (isHttp(source))
      return askHttp(this.deps.client, { source, day, watermark, known, signal, onPage: onProgress });
    const { timezone } = collect;
    const asked = { name, source, day, timezone, watermark, signal, onPhase };
    const { rows, files, ran } = await askContainer(this.deps.containers, asked, this.maskOf(source));
    return { rows, pages: files, etag: null, lastModified: null, url: null, container: ran };
  }

  /** What a container was given may come back in what it leaves, and in what is said of that. */
  private async fit(rows: readonly unknown[]): Promise<FittedRows> {
    const { source, day, collect } = this.question;
    if (isHttp(source)) return fitRows(source, day, rows, collect.timezone);
    const mask = this.maskOf(source);
    try {
      const fitted = await fitRows(source, day, rows, collect.timezone);
      return { ...fitted, newColumns: fitted.newColumns.map((column) => mask.text(column)) };
    } catch (error) {
      if (error instanceof RetrainError) throw new RetrainError(error.code, mask.text(error.message));
      throw error;
    }
  }

  private maskOf({ env }: ContainerSource): SecretMask {
    return new SecretMask(env, this.deps.containers.env);
  }

  private async describe(
    asked: string,
    answer: SourceAnswer,
    fitted: FittedRows,
    fresh: ReturnType<typeof afterWatermark>,
    before: Watermark,
  ): Promise<Described> {
    const { name, source, day, now, by } = this.question;
    const bytes = fresh.rows.length === 0 ? null : await tableBytes(source, fresh.rows);
    return {
      bytes,
      fitted,
      record: {
        ...{ source: name, day, outcome: bytes === null ? 'nothing' : 'new' },
        file: bytes === null ? null : `${source.to}/${name}-${day}.${source.format}`,
        sha256: bytes === null ? null : createHash('sha256').update(bytes).digest('hex'),
        ...{ sizeBytes: bytes?.length ?? 0, rows: fresh.rows.length, quarantined: fitted.refused.length },
        ...{ repeated: fitted.repeated + fresh.known, pages: answer.pages, url: answer.url },
        ...{ container: answer.container, etag: answer.etag, lastModified: answer.lastModified },
        ...{ collectedAt: now.toISOString(), watermark: fresh.after.value === '' ? null : fresh.after.value },
        ...{ newColumns: fitted.newColumns, by, asked, before, after: fresh.after, replaced: [] },
        settled: this.isOver(),
      },
    };
  }

  /** Whether the day is: what is told of it later is a correction. */
  private isOver(): boolean {
    const { day, now, collect } = this.question;
    return dayOf(now, collect.timezone) > day;
  }

  private async keep(
    known: CollectRecord | null,
    intact: boolean,
    { bytes, fitted, record }: Described,
  ): Promise<CollectedDay> {
    const { day, by } = this.question;
    const same = known !== null && known.sha256 === record.sha256 && known.file === record.file;
    if (same && intact) {
      // What is told of the content may be new: its ETag, rows that are refused.
      const { collectedAt, outcome, replaced } = known;
      const settled = known.settled || record.settled;
      const revised = { ...record, by: known.by, collectedAt, outcome, replaced, settled };
      if (!isDeepStrictEqual(revised, known)) await this.write(revised, fitted);
      return told(revised, known.by === by ? outcome : 'unchanged');
    }
    await this.requireNotEmptied(known, record);
    const changed: CollectRecord = {
      ...record,
      outcome:
        known?.sha256 == null || record.sha256 === null ? record.outcome : same ? known.outcome : 'changed',
      replaced: replacedBy(known, record),
    };
    if (this.question.collect.then === 'train') {
      await this.untrained.mark(`${record.source}-${day}`);
      this.step('told');
    }
    if (bytes !== null && changed.file !== null) {
      const file = path.join(this.deps.project, changed.file);
      await this.keepOld(file, record.sha256);
      await placeFile(file, bytes, this.records.folder, this.step);
    }
    // Of another format or folder than now: the same rows would be there twice.
    if (known?.file != null && known.file !== changed.file && intact) {
      await folderInside(this.deps.project, path.dirname(known.file), 'a record');
      const old = path.join(this.deps.project, known.file);
      await this.keepOld(old, null);
      await rm(old, { force: true });
      this.step('tidied');
    }
    await this.write(changed, fitted);
    return told(changed, changed.outcome);
  }

  /** Refused rows, then the record. */
  private async write(record: CollectRecord, fitted: FittedRows): Promise<void> {
    const quarantine = this.records.quarantineOf(record.day);
    if (fitted.refused.length > 0) await writeAtomically(quarantine, this.quarantined(fitted));
    this.step('quarantined');
    await this.records.write(record);
    this.step('recorded');
    if (fitted.refused.length === 0) await rm(quarantine, { force: true });
  }

  private quarantined({ refused }: FittedRows): string {
    const { source } = this.question;
    const text = quarantineText(refused);
    return isHttp(source) ? text : this.maskOf(source).text(text);
  }

  private async keepOld(file: string, next: string | null): Promise<void> {
    const there = await lstat(file).catch(() => null);
    // A link is DVC's, whose cache has the content.
    if (there === null || there.isSymbolicLink()) return;
    if (!there.isFile()) {
      throw new RetrainError(
        'STORAGE_REFUSED',
        `${file} is no file, and a file of a collection goes there; move it away`,
      );
    }
    const { sha256 } = await digestFile(file);
    if (sha256 === next) return;
    const { collect, name } = this.question;
    const folder = path.join(collect.records, name, 'replaced');
    await keepCopy(file, await folderInside(this.deps.project, folder, 'collect.records'), sha256);
    this.step('kept');
  }

  /** An answer without rows takes nothing away that was there. */
  private async requireNotEmptied(known: CollectRecord | null, record: CollectRecord): Promise<void> {
    if (record.file !== null || known?.file == null) return;
    const there = await stat(path.join(this.deps.project, known.file)).catch(() => null);
    if (there === null) return;
    throw new RetrainError(
      'SOURCE_INVALID',
      `${record.url?.split('?')[0] ?? `source ${record.source}`} has no row of ${record.day} any more, and had ${known.rows}; the file ${known.file} stays as it is; if there is nothing indeed, remove it, then collect that day again`,
    );
  }

  private async isIntact({ file, sha256 }: CollectRecord): Promise<boolean> {
    if (file === null) return true;
    const found = await digestFile(path.join(this.deps.project, file)).catch(() => null);
    return found !== null && found.sha256 === sha256;
  }
}

interface Described {
  /** Null: no row. */
  bytes: Uint8Array | null;
  fitted: FittedRows;
  record: CollectRecord;
}

function replacedBy(known: CollectRecord | null, { sha256 }: CollectRecord): CollectRecord['replaced'] {
  if (known === null) return [];
  if (known.sha256 === null || known.sha256 === sha256) return known.replaced;
  const { rows, collectedAt } = known;
  return [{ sha256: known.sha256, rows, collectedAt }, ...known.replaced].slice(0, MOST_REPLACED);
}

/** What of a record others are told. */
function told(record: CollectRecord, outcome: CollectedDay['outcome']): CollectedDay {
  const { by, asked, settled, lastModified, before, after, replaced, ...day } = record;
  return { ...day, outcome };
}
