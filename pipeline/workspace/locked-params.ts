import { isDeepStrictEqual } from 'node:util';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'yaml';
import { Params } from '../../contracts/params';
import { type WorkspaceStage } from './workspace-stages';

/**
 * What dvc.lock says of the params that a stage ran with: the keys that the params file has. Where the file still means what
 * was trained with, the value as it stands there, so that DVC finds it unchanged; else (it was edited meanwhile, or a
 * start set keys of its own) what was trained with, and DVC says that the file differs.
 */
export async function lockedParams(
  project: string,
  { paramsFile, paramKeys }: Pick<WorkspaceStage, 'paramsFile' | 'paramKeys'>,
  trained: Params,
): Promise<Record<string, unknown>> {
  const text = await readFile(path.join(project, paramsFile), 'utf8').catch(() => '');
  const raw = mapping(text);
  const now = Params.safeParse(raw);
  const keys = paramKeys.filter((key) => key in raw);
  return Object.fromEntries(
    keys.map((key) => {
      const value: unknown = trained[key as keyof Params];
      const same = now.success && isDeepStrictEqual(now.data[key as keyof Params], value);
      return [key, same ? raw[key] : value];
    }),
  );
}

function mapping(text: string): Record<string, unknown> {
  try {
    const value: unknown = parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
