import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { CollectDay } from '../../contracts/collect-columns';
import { type CollectParams } from '../../contracts/collect-params';
import { type CollectSource, isHttp } from '../../contracts/collect-source';
import { CollectedDay } from '../../contracts/collect';
import { parseBounded } from '../../contracts/bounded-json';
import { writeAtomically } from '../../integrations/files/atomic-write';
import { readBounded } from '../../integrations/files/read-bounded';
import { sha256Hex } from '../../ml/hashing/pipeline-key';

const text = z.string();

/** What may stand in a request header. */
const headerText = z
  .string()
  .max(500)
  .regex(/^[\x20-\x7e]*$/)
  .nullable();

/** What is kept of a day of a source: where its file came from, and what the next question needs to know. */
export const CollectRecord = CollectedDay.extend({
  /** Run that fetched this content. */
  by: text,
  /** Hash of what was asked for: of the source as params.yaml has it. */
  asked: text,
  /** Whether it was asked for when the day was over. */
  settled: z.boolean(),
  lastModified: headerText,
  etag: headerText,
  /** The watermark before and after this day; see `Watermark`. */
  before: z.object({ value: text, boundary: z.array(text) }),
  after: z.object({ value: text, boundary: z.array(text) }),
  /** What the source said of the day before, the newest first. */
  replaced: z.array(z.object({ sha256: text, rows: z.number(), collectedAt: text })),
});
export type CollectRecord = z.infer<typeof CollectRecord>;

/** What a source says of a day, and where it was said. */
export interface SourceAnswer extends Pick<
  CollectRecord,
  'pages' | 'etag' | 'lastModified' | 'url' | 'container'
> {
  rows: unknown[];
}

const NAME_END = /-\d{4}-\d{2}-\d{2}\.(json|parquet)$/;

/** The records of one source. */
export class SourceRecords {
  /** @param folder absolute */
  constructor(readonly folder: string) {}

  fileOf(day: string): string {
    return path.join(this.folder, `${day}.json`);
  }

  /** Rows of a day that were refused, one JSON on each line. */
  quarantineOf(day: string): string {
    return path.join(this.folder, `${day}.quarantine.jsonl`);
  }

  /** Days that have a record, oldest first. */
  async days(): Promise<string[]> {
    const names = await readdir(this.folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    });
    return names
      .flatMap((name) =>
        name.endsWith('.json') && CollectDay.safeParse(name.slice(0, -5)).success ? [name.slice(0, -5)] : [],
      )
      .sort();
  }

  /** Null: there is none; one that is damaged, or not of this day, is as good as none, as its file can be fetched again. */
  async read(day: string): Promise<CollectRecord | null> {
    const held = await readBounded(this.fileOf(day), this.fileOf(day), 8 << 20).catch(() => null);
    if (held === null) return null;
    try {
      const record = CollectRecord.safeParse(parseBounded(held, this.fileOf(day))).data;
      return record !== undefined && this.isOwn(record, day) ? record : null;
    } catch {
      return null;
    }
  }

  /** Records lie in the project, where anybody may have written one: its file is the one that this day has, and no other. */
  private isOwn({ source, day, file }: CollectRecord, asked: string): boolean {
    if (source !== path.basename(this.folder) || day !== asked) return false;
    return (
      file === null ||
      (/^(?!\.)[^/\\]+(\/(?!\.)[^/\\]+)*$/.test(file) &&
        NAME_END.test(file) &&
        path.basename(file).startsWith(`${source}-${day}.`))
    );
  }

  async write(record: CollectRecord): Promise<void> {
    await writeAtomically(this.fileOf(record.day), `${JSON.stringify(record, null, 2)}\n`);
  }

  /** Of these days, those that were last asked for before they were over: the source may have had more to say. */
  async open(days: readonly string[]): Promise<string[]> {
    const open: string[] = [];
    for (const day of days) if ((await this.read(day))?.settled !== true) open.push(day);
    return open;
  }

  /** How far the days before one reach. A day whose record is damaged is passed over: what it had comes twice rather than not at all. */
  async watermarkBefore(day: string): Promise<CollectRecord['after'] | null> {
    for (const earlier of (await this.days()).filter((one) => one < day).reverse()) {
      const record = await this.read(earlier);
      if (record !== null) return record.after;
    }
    return null;
  }
}

/** Hash of all that decides what an answer comes to. What a bound is, and how fast we ask, does not. */
export function askedHash(source: CollectSource, { timezone }: Pick<CollectParams, 'timezone'>): string {
  const { columns, unique, day_column, watermark, format } = source;
  // Only where it says which rows are of the day.
  const zone = day_column === undefined || timezone === 'UTC' ? {} : { timezone };
  const table = { columns, unique, day_column, watermark, format, ...zone };
  if (isHttp(source)) {
    const { url, headers, auth, rows, paging } = source;
    return sha256Hex(JSON.stringify({ url, headers, auth, rows, paging, ...table }));
  }
  const { image, command, env, network, params } = source;
  return sha256Hex(JSON.stringify({ image, command, env, network, params, ...table }));
}
