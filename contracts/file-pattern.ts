/** What a path means that may be a pattern: where it starts, and which files below that. */
interface Located {
  path: string;
  files?: string | undefined;
}

const WILD = /[*?]/;

/** `data/2024-*\/a.csv` → the directory `data`, files `2024-*\/a.csv`. A path without a pattern stays as it is. */
export function splitPattern<T extends Located>(data: T): T {
  const parts = data.path.split('/');
  const wild = parts.findIndex((part) => WILD.test(part));
  if (wild < 1) return data;
  return { ...data, path: parts.slice(0, wild).join('/') || '/', files: parts.slice(wild).join('/') };
}

/** A schema check: a pattern is below a directory, as that is what is hashed and stored. */
export function checkPattern(
  { path, files }: Located,
  context: { addIssue(issue: { code: 'custom'; path: string[]; message: string; input: unknown }): void },
): void {
  const mistake = (message: string): void => {
    context.addIssue({ code: 'custom', path: ['path'], message, input: path });
  };
  if (!WILD.test(path)) return;
  if (files !== undefined) mistake('must be a directory without * and ? beside data.files');
  else if (WILD.test(path.split('/')[0] ?? '')) {
    mistake('must name a directory before the first * or ?, such as data/*.csv');
  }
}

/** Whether a path below the directory, with `/`, is one that the pattern means. */
export function matcher(files: string): (relative: string) => boolean {
  const escaped = (text: string): string => text.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  const source = files
    .split('/')
    .map((part) => (part === '**' ? '**' : escaped(part).replaceAll('*', '[^/]*').replaceAll('?', '[^/]')))
    .join('/')
    .replaceAll('**/', '(?:.*/)?')
    .replaceAll('/**', '/.*')
    .replaceAll('**', '.*');
  const pattern = new RegExp(`^${source}$`, 'su');
  return (relative) => pattern.test(relative);
}
