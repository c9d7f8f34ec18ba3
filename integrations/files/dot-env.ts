import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseEnv } from 'node:util';

export type Environment = Readonly<Record<string, string | undefined>>;

/** The environment with the project's `.env` below it: a variable that is set wins over the file. */
export function withDotEnv(project: string, env: Environment): Environment {
  let text: string;
  try {
    text = readFileSync(path.join(project, '.env'), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return env;
    throw error;
  }
  return { ...parseEnv(text), ...env };
}
