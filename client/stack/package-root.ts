import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The folder of retrain's own package.json, whether this file runs from its source or from dist/. */
export function packageRoot(): string {
  let dir = __dirname;
  while (!existsSync(join(dir, 'package.json'))) {
    const parent = dirname(dir);
    if (parent === dir) throw new Error(`no package.json above ${__dirname}`);
    dir = parent;
  }
  return dir;
}
