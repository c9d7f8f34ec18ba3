import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { RetrainError } from '../../contracts/errors';
import { makeStateFolder, PRIVATE_FILE } from '../../integrations/files/state-folder';

/** What `retrain up` left running for this project, and where. */
export const StackFile = z.object({
  temporal: z.object({
    address: z.string().describe('host:port of the gRPC frontend.'),
    uiUrl: z.string().nullable().describe('Base address of the Web UI; null when it is not known.'),
    namespace: z.string(),
    startedByUs: z.boolean().describe('False for a server that TEMPORAL_ADDRESS named.'),
  }),
  mlflow: z.object({ uri: z.string(), startedByUs: z.boolean() }),
  taskQueue: z.string(),
  worker: z.object({ pid: z.number().int().positive() }).nullable(),
  api: z
    .object({ uri: z.string() })
    .nullable()
    .default(null)
    .describe('The prediction API; null when it was left out.'),
});
export type StackFile = z.infer<typeof StackFile>;

/**
 * Reads `stack.json` in the state folder, which every command falls back on below the environment variables.
 *
 * @param state see `stateDir`
 *
 * @returns null when no stack has been brought up here, or it has been taken down
 * @throws RetrainError CONFIG_INVALID when the file is damaged
 */
export function readStackFile(state: string): StackFile | null {
  const path = join(state, 'stack.json');
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  const parsed = StackFile.safeParse(asJson(text));
  if (parsed.success) return parsed.data;
  throw new RetrainError(
    'CONFIG_INVALID',
    `${path} is damaged (${parsed.error.issues[0]?.message ?? 'not readable'}); remove it, then run \`retrain up\``,
  );
}

/** Writes the file in one step: a reader sees the old one or the new one. */
export function writeStackFile(state: string, stack: StackFile): void {
  makeStateFolder(state);
  const path = join(state, 'stack.json');
  const unfinished = `${path}.${process.pid}`;
  writeFileSync(unfinished, `${JSON.stringify(stack, null, 2)}\n`, { mode: PRIVATE_FILE });
  renameSync(unfinished, path);
}

/** Forgets the stack; nothing happens when there is none. */
export function removeStackFile(state: string): void {
  rmSync(join(state, 'stack.json'), { force: true });
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
