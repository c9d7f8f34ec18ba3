import { lstat, readFile, readdir, realpath, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { BATCH_OUTPUTS, type BatchOutput, type BatchSpec } from '../../contracts/batch-prediction';
import { RetrainError } from '../../contracts/errors';
import { writeAtomically } from '../../integrations/files/atomic-write';
import { digestFile } from '../../ml/hashing/digest-file';
import { insideProject } from '../../pipeline/run/inside-project';
import { isBelow, shownPath } from '../../pipeline/run/params-file';

/** What is noted beside a file of predictions; by it we know our own. */
const Note = z.object({
  batchKey: z.string(),
  data: z.string(),
  dataHash: z.string(),
  model: z.string(),
  modelVersion: z.string(),
  /** Null: it was being written when this was noted. */
  output: z.object({ rows: z.number(), sizeBytes: z.number(), sha256: z.string() }).nullable(),
});

/** Folders of the project that hold what other parts of it write. */
const TAKEN = ['.git', '.dvc', '.retrain', 'node_modules'];

/**
 * Where the predictions go: a path below the project, wherever links lead, of a kind that we write, and not where something lies that no
 * batch prediction made.
 *
 * @param source of the path, for messages
 * @returns the path, absolute; its folder is there
 * @throws RetrainError CONFIG_INVALID
 */
export async function outputInsideProject(project: string, out: string, source: string): Promise<string> {
  const file = insideProject(project, out, source, 'out');
  const refused = (why: string): RetrainError =>
    new RetrainError('CONFIG_INVALID', `${source}: out: ${shownPath(out)} ${why}`);
  if (!BATCH_OUTPUTS.some((end) => file.toLowerCase().endsWith(end)))
    throw refused(`is no name for predictions; end it with ${BATCH_OUTPUTS.join(', ')}`);
  const [first = ''] = path.relative(path.resolve(project), file).split(path.sep);
  if (TAKEN.includes(first))
    throw refused(`lies in ${first}, which is not for this; choose a folder of its own`);
  const folder = await realpath(path.dirname(file)).catch(() => null);
  if (folder === null) throw refused('lies in a folder that is not there; make the folder first');
  if (!isBelow(await realpath(project), folder))
    throw refused('lies in a folder that is a link out of the project; choose another');
  const there = await lstat(file).catch(() => null);
  if (there !== null && (!there.isFile() || (await noteOf(file)) === null))
    throw refused('is there, and no batch prediction made it; move it away, or choose another name');
  return file;
}

/** The result of a key, if it is at its place, byte for byte; null otherwise. */
export async function knownOutput(file: string, batchKey: string): Promise<BatchOutput | null> {
  const note = await noteOf(file);
  if (note?.output == null || note.batchKey !== batchKey) return null;
  const digest = await digestFile(file).catch(() => null);
  return digest?.sha256 === note.output.sha256 ? { ...note.output, reused: true } : null;
}

/**
 * Puts a finished table at its place. The note that it is ours comes first, so that a worker that dies in between finds the file its own
 * again; its hash comes last.
 *
 * @param beside the table, in the same folder
 */
export async function place(
  spec: BatchSpec,
  beside: string,
  file: string,
  rows: number,
): Promise<BatchOutput> {
  const { batchKey, data, dataHash, model, modelVersion } = spec;
  const { sha256, sizeBytes } = await digestFile(beside);
  const note = { batchKey, data, dataHash, model, modelVersion };
  await writeNote(file, { ...note, output: null });
  await rename(beside, file);
  await writeNote(file, { ...note, output: { rows, sizeBytes, sha256 } });
  return { rows, sizeBytes, sha256, reused: false };
}

/** Removes what an attempt left, half written or whole. */
export async function discard(beside: string): Promise<void> {
  const { dir, base } = path.parse(beside);
  await rm(beside, { recursive: true, force: true });
  for (const entry of await readdir(dir).catch(() => []))
    if (entry.startsWith(`${base}.`) && entry.endsWith(PART))
      await rm(path.join(dir, entry), { force: true });
}

/** Removes what attempts of other nights left of this file, where no attempt can write any longer: those may take a day at most. */
export async function discardOld(file: string, now: number): Promise<void> {
  const { dir, name, ext } = path.parse(file);
  for (const entry of await readdir(dir).catch(() => [])) {
    const mark = entry.startsWith(`.${name}.`) ? entry.slice(name.length + 2) : '';
    // Nobody else's file is called so: run, activity and attempt, and perhaps the process.
    if (!/^[\da-z]{3,8}-\d+-\d+\./.test(mark) || !(mark.endsWith(ext) || mark.endsWith(PART))) continue;
    const left = path.join(dir, entry);
    const written = await lstat(left).catch(() => null);
    if (written?.isFile() === true && now - written.mtimeMs > LONGEST_ATTEMPT_MS)
      await rm(left, { force: true });
  }
}

/** Ending of what `OutFile` has not finished. */
const PART = '.part';

/** More than the limit of the activity that writes; see workflows/activity-options.ts. */
const LONGEST_ATTEMPT_MS = 25 * 3600_000;

/** A name for a table that is being written, in the folder of its place and with its ending. */
export function besideOf(file: string, attempt: string): string {
  const { dir, name, ext } = path.parse(file);
  return path.join(dir, `.${name}.${attempt}${ext}`);
}

async function writeNote(file: string, note: z.infer<typeof Note>): Promise<void> {
  await writeAtomically(noteFile(file), `${JSON.stringify(note, null, 2)}\n`);
}

/** Null: there is none that we wrote. */
async function noteOf(file: string): Promise<z.infer<typeof Note> | null> {
  const text = await readFile(noteFile(file), 'utf8').catch(() => null);
  if (text === null) return null;
  try {
    return Note.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

function noteFile(file: string): string {
  return `${file}.lineage.json`;
}
