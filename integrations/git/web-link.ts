/** How a host shows a file of a commit: the part of the page's path between repository and file. */
const PAGES: readonly (readonly [host: RegExp, page: (commit: string) => string])[] = [
  [/(^|\.)github\./, (commit) => `blob/${commit}`],
  [/(^|\.)gitlab\./, (commit) => `-/blob/${commit}`],
  [/(^|\.)bitbucket\.org$/, (commit) => `src/${commit}`],
  [/(^|\.)dagshub\.com$/, (commit) => `src/${commit}`],
  [/(^|\.)(codeberg\.org|gitea\..*)$/, (commit) => `src/commit/${commit}`],
];

/**
 * The page of a file at a commit, for a repository on GitHub, GitLab, Bitbucket, DagsHub, or Gitea; null for others.
 *
 * @param remoteUrl as git has it: `https://host/owner/name.git`, `git@host:owner/name.git`, `ssh://git@host/owner/name`
 * @param path in the repository, with `/`
 */
export function webLink(remoteUrl: string, commit: string, path: string): string | null {
  const [, host, repository] =
    /^(?:https?|ssh|git):\/\/(?:[^@/]*@)?([^/:]+)(?::\d+)?\/(.+?)(?:\.git)?\/?$/.exec(remoteUrl) ??
    /^(?:[^@/]+@)?([^/:]+):(?!\/)(.+?)(?:\.git)?\/?$/.exec(remoteUrl) ??
    [];
  const page = PAGES.find(([known]) => host !== undefined && known.test(host))?.[1];
  if (host === undefined || repository === undefined || page === undefined || commit === '') return null;
  return `https://${host}/${repository}/${page(commit)}/${path.split('/').map(encodeURIComponent).join('/')}`;
}

/** Whether a host shows files that DVC tracks as if git did. */
export function showsDvcFiles(remoteUrl: string): boolean {
  return /[@/.]dagshub\.com[/:]/.test(remoteUrl);
}
