#!/usr/bin/env node
/**
 * `npm run start-workflow -- …`: `retrain start …`. An example whose data may not be passed on has a generator beside
 * its params; where the data is not there yet, it is made first.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const retrain = join(root, 'bin', 'retrain');
const args = process.argv.slice(2);

const { values } = parseArgs({ args, options: { params: { type: 'string' } }, strict: false });
if (typeof values.params === 'string') {
  const generator = join(dirname(resolve(values.params)), 'generate.mjs');
  // Only what came with this repository is run: a params file of another place is data.
  const isExample = /^examples[\\/][^.]/.test(relative(root, generator));
  if (isExample && existsSync(generator)) {
    // What it says goes to stderr: with --json, stdout is the result's.
    const { status } = spawnSync(process.execPath, [generator, '--if-missing'], { stdio: ['ignore', 2, 2] });
    if (status !== 0) process.exit(1);
  }
}

process.argv = [process.execPath, retrain, 'start', ...args];
createRequire(import.meta.url)(retrain);
