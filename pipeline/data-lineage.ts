import path from 'node:path';
import { dataInputs } from '../contracts/data-inputs';
import { RUN_TAG } from '../contracts/names';
import { type RunSpec } from '../contracts/run';
import { isDirectoryHash } from '../integrations/dvc/cache-layout';
import { type ContentStore } from '../integrations/dvc/content-store';
import { trackedOuts } from '../integrations/dvc/tracked-outs';
import { folderInRepository, unchangedSince } from '../integrations/git/uncommitted-changes';
import { showsDvcFiles, webLink } from '../integrations/git/web-link';

/** Files of a directory that get tags of their own; the directory's hash is over all of them. */
const MOST_FILES = 100;

/**
 * Tags that name the data file by file: its MD5, and where the repository's host has a page of exactly these bytes, a link
 * to it. Of a directory, the first hundred files.
 *
 * @param project absolute
 * @throws RetrainError ARTIFACT_MISSING when the data is not in the store
 */
export async function dataLineage(
  project: string,
  store: ContentStore,
  spec: Pick<RunSpec, 'data' | 'extra' | 'git'>,
): Promise<Record<string, string>> {
  const tags = {};
  for (const { data } of dataInputs(spec)) {
    Object.assign(tags, await tagsOf(project, store, { data, git: spec.git }));
  }
  return tags;
}

async function tagsOf(
  project: string,
  store: ContentStore,
  { data, git }: Pick<RunSpec, 'data' | 'git'>,
): Promise<Record<string, string>> {
  const base = data.path.replace(/\/+$/, '');
  const files = isDirectoryHash(data.md5)
    ? (await store.manifest({ name: base, md5: data.md5 })).map(({ relpath, md5 }) => ({
        file: `${base}/${relpath}`,
        md5,
      }))
    : [{ file: base, md5: data.md5 }];
  const pageOf = await pages(project, base, { data, git });
  const tags = new Map<string, string>();
  for (const { file, md5 } of files.slice(0, MOST_FILES)) {
    tags.set(`${RUN_TAG.dataMd5}.${file}`, md5);
    const page = pageOf(path.posix.normalize(file));
    if (page !== null) tags.set(`${RUN_TAG.dataUrl}.${file}`, page);
  }
  return Object.fromEntries(tags);
}

/** Tells of a file the page that the host has of the bytes that were trained on. */
async function pages(
  project: string,
  base: string,
  { data, git: { commit, remoteUrl } }: Pick<RunSpec, 'data' | 'git'>,
): Promise<(file: string) => string | null> {
  if (webLink(remoteUrl, commit, base) === null) return () => null;
  const committed = await unchangedSince(project, commit, base);
  const outs = showsDvcFiles(remoteUrl) ? await trackedOuts(project).catch(() => []) : [];
  const pointer = outs.find((out) => out.path === base && out.md5 === data.md5)?.recordedIn.split(':')[0];
  const tracked = pointer !== undefined && (await unchangedSince(project, commit, pointer)).has(pointer);
  const prefix = await folderInRepository(project);
  return (file) => (tracked || committed.has(file) ? webLink(remoteUrl, commit, `${prefix}${file}`) : null);
}
