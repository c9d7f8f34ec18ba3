import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { RetrainError } from '../../contracts/errors';
import { findProgram, isExecutable, outputOf } from './find-program';
import { packageRoot } from './package-root';
import type { Progress } from './progress';
import { runTool } from './run-tool';
import { quotedEnd } from './server-process';
import { installOnce, isInstalled, toolsCacheDir } from './tools-cache';
import { type Environment } from '../../integrations/files/dot-env';

/** The MLflow that is installed; client/stack/mlflow-requirements.txt pins it with all it needs. */
export const MLFLOW_VERSION = '3.17.2';

/** The oldest Python that this MLflow runs on. */
const OLDEST_PYTHON = [3, 10] as const;

/** `python3` is what the user means; the numbered ones help where it is too old. */
const PYTHON_NAMES = ['python3', 'python3.13', 'python3.12', 'python3.11', 'python3.10', 'python'];

export interface PythonProgram {
  path: string;
  version: string;
}

/** A Python that MLflow can run on; null when there is none on the PATH. */
export async function findPython(env: Environment): Promise<PythonProgram | null> {
  for (const name of PYTHON_NAMES) {
    const path = findProgram(name, env);
    const answer = path === null ? null : await outputOf(path, ['--version'], env);
    const [, version, major, minor] = /^Python ((\d+)\.(\d+)\S*)/.exec(answer ?? '') ?? [];
    if (path === null || version === undefined) continue;
    const newEnough = Number(major) === OLDEST_PYTHON[0] && Number(minor) >= OLDEST_PYTHON[1];
    if (newEnough) return { path, version };
  }
  return null;
}

/**
 * The Python of the installed MLflow environment: RETRAIN_MLFLOW_PYTHON, which the user answers for, or the one
 * in our cache. Null when there is none.
 */
export function findMlflowPython(env: Environment): string | null {
  if (env['RETRAIN_MLFLOW_PYTHON']) return env['RETRAIN_MLFLOW_PYTHON'];
  const cacheDir = toolsCacheDir(env);
  const python = join(cacheDir, toolFolder(), 'bin', 'python');
  // The environment links to the Python that made it: after an upgrade of that, the link may lead nowhere.
  return isInstalled(cacheDir, toolFolder()) && isExecutable(python) ? python : null;
}

/**
 * The Python of the MLflow environment, made where it is missing (about a minute).
 *
 * @throws RetrainError TOOL_MISSING that says how to get it
 */
export async function ensureMlflowPython(
  env: Environment,
  progress: Progress,
  part = 'MLflow',
): Promise<string> {
  const found = findMlflowPython(env);
  if (found !== null) return found;
  const cacheDir = toolsCacheDir(env);
  const folder = await installOnce(
    cacheDir,
    toolFolder(),
    (target) => install(target, cacheDir, env, progress, part),
    (holder) => {
      progress.update(part, `waiting for another set-up (${holder}) that is installing it`);
    },
    (target) => isExecutable(join(target, 'bin', 'python')),
  );
  return join(folder, 'bin', 'python');
}

async function install(
  folder: string,
  cacheDir: string,
  env: Environment,
  progress: Progress,
  part: string,
): Promise<void> {
  const python = await findPython(env);
  if (python === null) {
    throw new RetrainError(
      'TOOL_MISSING',
      `MLflow needs Python ${OLDEST_PYTHON.join('.')} or newer and none is on the PATH; install it from https://www.python.org/downloads or your system's packages, or set MLFLOW_TRACKING_URI to a server that runs elsewhere`,
    );
  }
  const logFile = join(cacheDir, `${toolFolder()}.log`);
  progress.update(part, `making a Python ${python.version} environment`);
  const tool = { cwd: cacheDir, env, logFile };
  const pip = await makeEnvironment(python, folder, tool);
  if (pip === null) {
    throw new RetrainError(
      'TOOL_MISSING',
      `${python.path} cannot make a virtual environment; on Debian and Ubuntu: apt-get install python3-venv${quotedEnd(logFile)}`,
    );
  }
  const packages = new Set(requirements().match(/^[^#\s=]+(?===)/gm)).size;
  let collected = 0;
  progress.update(part, `installing ${MLFLOW_VERSION} from PyPI (about a minute)`);
  const installed = await runTool({
    ...tool,
    ...pip,
    args: [
      ...[...pip.args, 'install', '--requirement', requirementsFile()],
      // Compiling all modules takes longer than installing them; Python compiles what is used at its first use.
      ...['--no-compile', '--disable-pip-version-check', '--no-input', '--progress-bar', 'off'],
    ],
    onLine(line) {
      if (line.startsWith('Collecting ')) {
        collected += 1;
        if (collected % 20 === 0) progress.update(part, `fetched ${collected} of ${packages} packages`);
      } else if (line.startsWith('Installing collected packages')) {
        progress.update(part, 'unpacking the packages');
      }
    },
  });
  if (!installed) {
    throw new RetrainError(
      'TOOL_MISSING',
      `MLflow ${MLFLOW_VERSION} could not be installed from PyPI; check the connection, or PIP_INDEX_URL where packages come from a mirror, or set MLFLOW_TRACKING_URI to a server that runs elsewhere${quotedEnd(logFile)}`,
    );
  }
}

/**
 * Makes a virtual environment. Debian's Python lacks the part that puts pip into it unless python3-venv is
 * installed: then the pip outside works on it.
 *
 * @returns how to call pip for it; null when neither way works
 */
async function makeEnvironment(
  python: PythonProgram,
  folder: string,
  tool: { cwd: string; env: Environment; logFile: string },
): Promise<{ command: string; args: string[] } | null> {
  const inside = join(folder, 'bin', 'python');
  const make = (...options: string[]): Promise<boolean> =>
    runTool({ ...tool, command: python.path, args: ['-m', 'venv', '--clear', ...options, folder] });
  if (await make()) return { command: inside, args: ['-m', 'pip'] };
  if ((await make('--without-pip')) && (await outputOf(python.path, ['-m', 'pip', '--version'], tool.env))) {
    return { command: python.path, args: ['-m', 'pip', '--python', inside] };
  }
  return null;
}

/** The version, and which set of packages: other pins make another environment. */
function toolFolder(): string {
  const pins = createHash('sha256').update(requirements()).digest('hex').slice(0, 8);
  return `mlflow-${MLFLOW_VERSION}-${pins}`;
}

function requirementsFile(): string {
  return join(packageRoot(), 'client', 'stack', 'mlflow-requirements.txt');
}

function requirements(): string {
  return readFileSync(requirementsFile(), 'utf8');
}
