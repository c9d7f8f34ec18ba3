import { type HttpSource } from '../../contracts/collect-source';
import { dayAfter } from './days';

/**
 * The address of one day: what stands in braces is filled in.
 *
 * @param watermark the highest value so far, as text
 */
export function sourceUrl({ url }: Pick<HttpSource, 'url'>, day: string, watermark: string): URL {
  const [yyyy = '', mm = '', dd = ''] = day.split('-');
  const values: Readonly<Record<string, string>> = {
    day,
    yyyy,
    mm,
    dd,
    from: day,
    to: dayAfter(day, 1),
    watermark,
  };
  return new URL(url.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(values[name] ?? '')));
}
