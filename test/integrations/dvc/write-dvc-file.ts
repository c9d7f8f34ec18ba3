import { writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { outEntry, type OutContent } from '../../../integrations/dvc/out-entry';
import { toYaml } from '../../../integrations/dvc/yaml-text';

/** Leaves what `dvc add` would: the content of one tracked path, in the `.dvc` file beside it. */
export function writeDvcFile(path: string, content: OutContent): void {
  const name = basename(path).replace(/\.dvc$/, '');
  writeFileSync(path, toYaml({ outs: [outEntry(name, content)] }));
}
