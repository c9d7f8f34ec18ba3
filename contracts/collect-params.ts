import { z } from 'zod';
import { type Issues } from './collect-columns';
import { CollectSource } from './collect-source';

export const CollectParams = z
  .strictObject({
    sources: z
      .record(
        z.string().regex(/^[a-z][a-z0-9_-]{0,59}$/, 'must be a name of lower case letters, digits, - and _'),
        CollectSource,
      )
      .refine((sources) => Object.keys(sources).length > 0, 'must name at least one source')
      .refine((sources) => Object.keys(sources).length <= 100, 'must name at most 100 sources')
      .describe(
        'Sources by name, each with `columns`, and `url` (HTTP) or `image` (a container), at least. docs/collect.md has each key.',
      ),
    then: z
      .enum(['nothing', 'train'])
      .default('nothing')
      .describe(
        'train: start the training pipeline when a file has new content; the same data train nothing again.',
      ),
    timezone: z
      .string()
      .max(100)
      .refine(isZone, 'must be a time zone such as Europe/Berlin')
      .default('UTC')
      .describe('Where a day begins.'),
    records: z
      .string()
      .min(1)
      .max(200)
      .default('data/collected')
      .describe(
        'Folder of what is kept beside the files: where each came from, rows that were refused, what was replaced. Not within the data.',
      ),
    catch_up: z
      .int()
      .min(1)
      .max(366)
      .default(31)
      .describe('Most days that are collected at once, the oldest first, when some were missed.'),
  })
  .superRefine(checkFolders);
export type CollectParams = z.infer<typeof CollectParams>;

function isZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

/** A folder of the project, none of a tool’s own. */
const FOLDER = /^(?!\.)[^/\\\0]+(\/(?!\.)[^/\\\0]+)*$/;

/** A schema check: files and what is kept beside them lie in the project, and apart. */
function checkFolders(
  { sources, records }: { sources: Record<string, CollectSource>; records: string },
  context: Issues,
): void {
  const folders: [(string | number)[], string][] = [
    [['records'], records],
    ...Object.entries(sources).map(([name, { to }]): [(string | number)[], string] => [
      ['sources', name, 'to'],
      to,
    ]),
  ];
  for (const [path, folder] of folders) {
    if (!FOLDER.test(folder) || /^node_modules(\/|$)/.test(folder)) {
      context.addIssue({
        code: 'custom',
        path,
        message: 'must be a folder inside the project, such as data/raw, none that begins with a dot',
        input: folder,
      });
    } else if (
      path[0] === 'sources' &&
      (folder === records || folder.startsWith(`${records}/`) || records.startsWith(`${folder}/`))
    ) {
      context.addIssue({
        code: 'custom',
        path,
        message: `must lie apart from records (${records}), which are no data`,
        input: folder,
      });
    }
  }
}
