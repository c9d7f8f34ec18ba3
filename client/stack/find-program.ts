import { execFile } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Environment } from '../../integrations/files/dot-env';

/** The executable of this name on the PATH; null when there is none. */
export function findProgram(name: string, env: Environment): string | null {
  for (const dir of (env['PATH'] ?? '').split(delimiter)) {
    const path = join(dir || '.', name);
    if (isExecutable(path)) return path;
  }
  return null;
}

/** Whether a file is there that we may execute. */
export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** A program that says its version takes no longer than this, even a Python on a busy machine. */
const ANSWER_TIMEOUT_MS = 20_000;

/** What a program prints, both streams, trimmed; null when it fails or hangs. */
export function outputOf(program: string, args: string[], env: Environment): Promise<string | null> {
  return new Promise((resolve) => {
    execFile(program, args, { env, timeout: ANSWER_TIMEOUT_MS }, (error, stdout, stderr) => {
      resolve(error ? null : `${stdout}${stderr}`.trim());
    });
  });
}
