import { createHash, randomBytes } from 'node:crypto';
import { chmod, mkdir, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { PRIVATE_DIR } from '../../integrations/files/state-folder';

// DIR/2026-03-09/iris-classifier@3/<when><chance>.<rows>.parquet, and DIR/2026-03-09/feedback/… for the true labels.

const DAY = /^\d{4}-\d{2}-\d{2}$/;
const SEGMENT = /^([0-9a-z]+)\.(\d+)\.parquet$/;
const LONGEST_NAME = 80;
const MANIFEST_END = '.replaces';

/** Folder of a day that holds true labels; no model's folder, as those have an @. */
export const FEEDBACK = 'feedback';

/** A file of so many rows is large enough, and is not merged again. */
export const LARGE_ROWS = 50_000;

/** A file of the log. */
export interface Segment {
  file: string;
  rows: number;
}

/** The day of a moment, UTC: `2026-03-09`. */
export function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}

/** Folder of a model version within a day: its name and version, with all that a file's name cannot hold escaped. */
export function versionFolder(modelName: string, modelVersion: string): string {
  return `${escaped(modelName)}@${escaped(modelVersion)}`;
}

/** Whether a folder of a day holds predictions of a model, of any version unless one is given. */
export function isOfModel(folder: string, modelName: string, modelVersion?: string): boolean {
  if (modelVersion !== undefined) return folder === versionFolder(modelName, modelVersion);
  return folder.startsWith(`${escaped(modelName)}@`);
}

function escaped(text: string): string {
  const plain = encodeURIComponent(text.replace(/\p{Surrogate}/gu, '_')).replaceAll('.', '%2E') || '%00';
  if (plain.length <= LONGEST_NAME) return plain;
  const digest = createHash('sha256').update(text).digest('hex').slice(0, 16);
  return `${plain.slice(0, LONGEST_NAME - 20).replace(/%.?$/, '')}~${digest}`;
}

/** A new file's place; the name says how many rows are in it, and sorts by time. */
export function newSegment(folder: string, rows: number, now: number): Segment {
  const name = `${now.toString(36).padStart(9, '0')}${randomBytes(5).toString('hex')}`;
  return { file: path.join(folder, `${name}.${rows}.parquet`), rows };
}

/** Makes a folder of the log if need be, and those above it, for their owner only. */
export async function makePrivate(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true, mode: PRIVATE_DIR });
  // The rights that mkdir gives go by the process's umask.
  if (first !== undefined) await chmod(folder, PRIVATE_DIR);
}

/** Days of a log, oldest first. */
export async function listDays(dir: string): Promise<string[]> {
  return (await entriesOf(dir)).filter((name) => DAY.test(name));
}

/** Folders of a day. */
export async function listFolders(dir: string, day: string): Promise<string[]> {
  const names = await entriesOf(path.join(dir, day));
  return names.filter((name) => name === FEEDBACK || name.includes('@'));
}

/**
 * The files of a folder, oldest first. Those that a merged file stands for are left out, though a process died before it could
 * remove them.
 */
export async function listSegments(folder: string): Promise<Segment[]> {
  const names = await entriesOf(folder);
  const there = new Set(names);
  const replaced = new Set<string>();
  for (const manifest of names.filter(isManifest)) {
    if (!there.has(targetOf(manifest))) continue;
    for (const name of await readManifest(path.join(folder, manifest))) replaced.add(name);
  }
  return names.flatMap((name) => {
    const rows = SEGMENT.exec(name)?.[2];
    return rows === undefined || replaced.has(name)
      ? []
      : [{ file: path.join(folder, name), rows: Number(rows) }];
  });
}

/** Name of the note which says what a merged file stands for. */
export function manifestOf(segment: Segment): string {
  const { dir, base } = path.parse(segment.file);
  return path.join(dir, `.${base}${MANIFEST_END}`);
}

export function isManifest(name: string): boolean {
  return name.startsWith('.') && name.endsWith(MANIFEST_END);
}

/** Name of the merged file that a note is about. */
export function targetOf(manifest: string): string {
  return manifest.slice(1, -MANIFEST_END.length);
}

/** Names of the files that are replaced: nothing but files of the same folder. */
export async function readManifest(file: string): Promise<string[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.split('\n').filter((name) => SEGMENT.test(name));
}

/** Sorted; empty when there is no such folder. */
export async function entriesOf(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
