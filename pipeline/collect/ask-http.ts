import { milliseconds } from '../../contracts/duration';
import { type HttpSource } from '../../contracts/collect-source';
import { type SourceClient } from '../../integrations/http-source/source-client';
import { recordedUrl } from '../../integrations/http-source/source-fault';
import { walkPages } from '../../integrations/http-source/walk-pages';
import { type CollectRecord, type SourceAnswer } from './record';
import { sourceUrl } from './source-url';

/** What is asked of an HTTP source. */
export interface HttpQuestion {
  source: HttpSource;
  day: string;
  /** Highest value of the days before, as text. */
  watermark: string;
  /** Of the same question before: if what it says of itself holds still, there is nothing new. */
  known: CollectRecord | null;
  signal?: AbortSignal | undefined;
  onPage?: ((rows: number) => void) | undefined;
}

/**
 * Asks an HTTP source for a day, page by page.
 *
 * @throws RetrainError as `SourceClient.ask`; SOURCE_INVALID
 */
export async function askHttp(
  client: SourceClient,
  { source, day, watermark, known, signal, onPage }: HttpQuestion,
): Promise<SourceAnswer | 'unchanged'> {
  const url = sourceUrl(source, day, watermark);
  const conditions = {
    ...(known?.etag == null ? {} : { etag: known.etag }),
    ...(known?.lastModified == null ? {} : { lastModified: known.lastModified }),
  };
  const answer = await walkPages(client, {
    ...{ url, headers: source.headers, auth: source.auth, rows: source.rows, paging: source.paging },
    ...{ timeoutMs: milliseconds(source.timeout), perMinute: source.requests_per_minute },
    ...{ noData: source.no_data },
    ...{ mostPages: source.max_pages, mostRows: source.max_rows, mostBytes: source.max_bytes },
    ...{ known: Object.keys(conditions).length === 0 ? undefined : conditions, signal },
    onPage: (_, rows) => onPage?.(rows),
  });
  if (answer.kind === 'unchanged') return 'unchanged';
  const { rows, pages, etag = null, lastModified = null } = answer;
  return { rows, pages, etag, lastModified, url: recordedUrl(url), container: null };
}
