import { gitState } from './git-state';
import { readGit } from './run-git';

/**
 * What a repository is called wherever it is cloned: `host/owner/name` of its remote, however the URL is written, and the folder in
 * it, if the project is not its root.
 *
 * @returns null outside a repository, and without a remote
 */
export async function remoteName(dir: string): Promise<string | null> {
  const { remoteUrl } = await gitState(dir);
  const name = nameOf(remoteUrl);
  if (name === null) return null;
  const prefix = (await readGit(dir, 'rev-parse', '--show-prefix'))?.trim().replace(/\/$/, '') ?? '';
  return prefix === '' ? name : `${name}/${prefix}`;
}

/** `https://u@Host:8443/a/b.git`, `git@host:a/b`, `ssh://git@host/a/b/` and `/srv/a/b.git`, without what differs from clone to clone. */
export function nameOf(remoteUrl: string): string | null {
  const [, host, repository] =
    /^[a-z][a-z0-9+.-]*:\/\/(?:[^@/]*@)?([^/:]*)(?::\d+)?\/(.+?)(?:\.git)?\/*$/i.exec(remoteUrl) ??
    /^(?:[^@/]+@)?([^/:]+):(.+?)(?:\.git)?\/*$/.exec(remoteUrl) ??
    /^()(\/.+?)(?:\.git)?\/*$/.exec(remoteUrl) ??
    [];
  if (repository === undefined) return null;
  const place = repository.replace(/^\/+/, '');
  return host === undefined || host === '' ? `/${place}` : `${host.toLowerCase()}/${place}`;
}
