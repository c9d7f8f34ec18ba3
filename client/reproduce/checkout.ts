import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { RetrainError } from '../../contracts/errors';
import { sameFiles } from '../../integrations/git/same-files';
import { addWorktree, repositoryRoot } from '../../integrations/git/worktree';
import { codeHashWith, readStageCode } from '../../pipeline/stage-code';
import { updateParams } from '../../pipeline/run/update-params';
import { type Progress } from '../stack/progress';
import { type ClientConfig } from '../config';
import { type Recorded } from './record';

/** The project as it was when a model was trained, ready to run. */
export interface Checkout {
  /** Where params.yaml and the data are. */
  project: string;
  /** The `retrain` of that commit. */
  program: string;
  /** What could not be brought back exactly. */
  notes: string[];
  remove(): Promise<void>;
}

/** What a build is made of. */
const SOURCES = ['*.ts', '*.py', 'package.json', 'package-lock.json', 'tsconfig*.json'];

/**
 * Checks the recorded commit out into a folder of its own, with the changes that were not committed and the recorded
 * params, and installs and builds what it needs; what the project has already, and is the same, is linked. The project itself is left alone.
 *
 * @param dir empty, outside the project
 * @param patch the changes that were not committed; null: there are none to be had
 * @throws RetrainError REPRODUCTION_FAILED
 */
export async function checkOut(
  config: ClientConfig,
  recorded: Recorded,
  patch: Uint8Array | null,
  dir: string,
  { progress, signal }: { progress: Progress; signal: AbortSignal },
): Promise<Checkout> {
  const root = await repositoryRoot(config.project);
  if (root === null || recorded.git.commit === '') {
    throw new RetrainError(
      'REPRODUCTION_FAILED',
      root === null
        ? `${config.project} is in no git repository; run in a clone of the one that the model was trained in`
        : `${recorded.model} v${recorded.version} records no git commit: it was trained outside a repository`,
    );
  }
  progress.update('commit', recorded.git.commit.slice(0, 12));
  const tree = await addWorktree(root, path.join(dir, 'tree'), recorded.git.commit);
  try {
    const notes: string[] = [];
    if (patch !== null) {
      await writeFile(path.join(dir, 'git.patch'), patch);
      await tree.apply(path.join(dir, 'git.patch'));
    } else if (recorded.git.dirty) {
      notes.push('it was trained with changes that were not committed, and were not recorded');
    }
    const project = path.join(tree.dir, path.relative(root, config.project));
    await writeRecordedParams(project, recorded);
    progress.done('commit', `${recorded.git.commit.slice(0, 12)}${patch === null ? '' : ' and its patch'}`);
    const homes: Home[] = [
      { own: project, present: config.project },
      { own: tree.dir, present: root },
    ];
    const home = homes.find(({ own }) => isProgram(own));
    const program = home === undefined ? null : await prepare(home, recorded, { progress, signal });
    notes.push(...(await codeNotes(program, config, recorded)));
    return { project, program: program ?? presentProgram(config), notes, remove: () => tree.remove() };
  } catch (error) {
    await tree.remove();
    throw error;
  }
}

/** Overrides of the start are in the recorded params, and not in the commit. */
async function writeRecordedParams(project: string, { params, paramsPath }: Recorded): Promise<void> {
  const file = path.join(project, paramsPath);
  const text = await readFile(file, 'utf8').catch(() => null);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, updateParams(text, params, paramsPath).text);
}

/** A folder with the code of `retrain` itself, in the checkout and in the project. */
interface Home {
  own: string;
  present: string;
}

function isProgram(dir: string): boolean {
  return existsSync(path.join(dir, 'bin', 'retrain')) && existsSync(path.join(dir, 'package-lock.json'));
}

/** Packages and build. @returns the program */
async function prepare(
  { own, present }: Home,
  recorded: Recorded,
  { progress, signal }: { progress: Progress; signal: AbortSignal },
): Promise<string> {
  if (await sameLock(own, present)) {
    await symlink(path.join(present, 'node_modules'), path.join(own, 'node_modules'));
    progress.done('packages', 'those of this project, as package-lock.json is the same');
  } else {
    progress.update('packages', 'npm ci');
    await npm(own, ['ci', '--no-audit', '--no-fund'], signal);
    progress.done('packages', 'installed by npm ci');
  }
  if (await sameBuild({ own, present }, recorded)) {
    await symlink(path.join(present, 'dist'), path.join(own, 'dist'));
    progress.done('build', 'that of this project, as the sources are the same');
  } else {
    progress.update('build', 'npm run build');
    await npm(own, ['run', 'build'], signal);
    progress.done('build', 'made by npm run build');
  }
  return path.join(own, 'bin', 'retrain');
}

async function sameLock(own: string, present: string): Promise<boolean> {
  if (!existsSync(path.join(present, 'node_modules'))) return false;
  const [theirs, ours] = await Promise.all(
    [own, present].map((dir) => readFile(path.join(dir, 'package-lock.json')).catch(() => null)),
  );
  return theirs != null && ours != null && theirs.equals(ours);
}

/** Whether the build at hand is of the very sources of the checkout, which is the rule where only data and params change. */
async function sameBuild({ own, present }: Home, recorded: Recorded): Promise<boolean> {
  if (!existsSync(path.join(present, 'dist')) || !(await sameFiles(own, present, SOURCES))) return false;
  try {
    const code = await readStageCode(path.join(present, 'dist', 'stage-code.json'));
    return codeHashWith(code, recorded.images) === recorded.codeHash;
  } catch (error) {
    if (error instanceof RetrainError) return false;
    throw error;
  }
}

async function codeNotes(
  program: string | null,
  config: ClientConfig,
  recorded: Recorded,
): Promise<string[]> {
  const file =
    program === null
      ? config.stageCodeFile
      : path.join(path.dirname(program), '..', 'dist', 'stage-code.json');
  const codeHash = codeHashWith(await readStageCode(file), recorded.images);
  return codeHash === recorded.codeHash
    ? []
    : [
        `the stage code has hash ${codeHash.slice(0, 12)}, not the recorded ${recorded.codeHash.slice(0, 12)}${program === null ? ': it is that of this `retrain`, as the commit has none of its own' : ''}`,
      ];
}

function presentProgram(config: ClientConfig): string {
  return path.join(path.dirname(config.stageCodeFile), '..', 'bin', 'retrain');
}

async function npm(cwd: string, args: string[], signal: AbortSignal): Promise<void> {
  try {
    await promisify(execFile)('npm', args, { cwd, signal, maxBuffer: 64 << 20 });
  } catch (cause) {
    signal.throwIfAborted();
    const { stderr = '', message } = cause as Error & { stderr?: string };
    const said = stderr.trim().split('\n').slice(-5).join(' | ') || message;
    throw new RetrainError('REPRODUCTION_FAILED', `npm ${args[0]} failed at that commit: ${said}`, { cause });
  }
}
