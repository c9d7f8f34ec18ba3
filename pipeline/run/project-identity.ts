import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { link, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { RetrainError } from '../../contracts/errors';
import { ProjectIdentity } from '../../contracts/project-identity';
import { type Environment } from '../../integrations/files/dot-env';
import { makeStateFolder, PRIVATE_FILE } from '../../integrations/files/state-folder';
import { remoteName } from '../../integrations/git/remote-name';

const Kept = ProjectIdentity.omit({ host: true });

/**
 * Which project this is: RETRAIN_PROJECT_ID; what the state folder keeps; the name of the git remote, the same in every clone; else
 * the folder. What is found is kept in the state folder, so that a folder that is moved, or gets a remote later, stays the
 * project that its workflows were started for.
 *
 * @param project the project's folder
 * @param state see `stateDir`
 * @throws RetrainError CONFIG_INVALID for a RETRAIN_PROJECT_ID that is none
 */
export async function projectIdentity(
  project: string,
  state: string,
  env: Environment,
): Promise<ProjectIdentity> {
  const host = machineName();
  const named = env['RETRAIN_PROJECT_ID'] || undefined;
  if (named !== undefined) return { id: checked(named), host, certain: true };
  const file = path.join(state, 'project.json');
  const kept = readKept(file);
  if (kept !== null) return { ...kept, host };
  const remote = await remoteName(project);
  const found = remote === null ? { id: folderName(project), certain: false } : { id: remote, certain: true };
  return { ...(await keep(state, file, found)), host };
}

/**
 * Where a path means the same folder: the machine, and on Linux the view of its files, as a container may have its host's name
 * (`network_mode: host`) and the project at another path.
 */
export function machineName(): string {
  try {
    return `${hostname()}/${readlinkSync('/proc/self/ns/mnt').replace(/\D/g, '')}`;
  } catch {
    return hostname();
  }
}

const NAME = /^[\w.@:/~+-]{1,200}$/;

function checked(name: string): string {
  if (NAME.test(name)) return name;
  throw new RetrainError(
    'CONFIG_INVALID',
    `RETRAIN_PROJECT_ID must be 1 to 200 letters, digits and . _ - / : @ ~ +, got ${JSON.stringify(name.slice(0, 60))}`,
  );
}

/** The folder's name, for people, and a hash of where it is. */
function folderName(project: string): string {
  const real = realpathSync(project);
  const hash = createHash('sha256').update(real).digest('hex').slice(0, 8);
  return `${path.basename(real).slice(0, 100)}-${hash}`;
}

/** A damaged file is as good as none: the identity is found again, and kept in its place. */
function readKept(file: string): KeptIdentity | null {
  try {
    return Kept.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return null;
  }
}

type KeptIdentity = Pick<ProjectIdentity, 'id' | 'certain'>;

/** Of two at the same time, the first one's counts. A state folder that cannot be written keeps nothing. */
async function keep(state: string, file: string, found: KeptIdentity): Promise<KeptIdentity> {
  const unfinished = `${file}.${process.pid}`;
  try {
    makeStateFolder(state);
    await writeFile(unfinished, `${JSON.stringify(found)}\n`, { mode: PRIVATE_FILE });
    await link(unfinished, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return readKept(file) ?? found;
  } finally {
    await rm(unfinished, { force: true }).catch(() => undefined);
  }
  return found;
}
