/**
 * `npm run bench -- NAME [--json]` runs one benchmark, `npm run bench` all of them, one after the other. A
 * benchmark is a file in this folder that can be run by itself; it prints ratios against a peer.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';

const names = readdirSync(__dirname)
  .filter(
    (file) =>
      file.endsWith('.js') &&
      ![
        'main.js',
        'measure.js',
        'rig.js',
        'instant-mlflow.js',
        'credit-model.js',
        'drift-tables.js',
        'drift-worlds.js',
        'drift-statistics.js',
      ].includes(file),
  )
  .map((file) => file.slice(0, -3))
  .sort();

const [wanted, ...options] = process.argv.slice(2).filter((argument) => argument !== '--json');
const json = process.argv.includes('--json') ? ['--json'] : [];

if (wanted !== undefined && !names.includes(wanted)) {
  console.error(`error: no benchmark ${wanted}; there are ${names.join(', ')}`);
  process.exit(2);
}
let failed = 0;
for (const name of wanted === undefined ? names : [wanted]) {
  const { status } = spawnSync(process.execPath, [path.join(__dirname, `${name}.js`), ...options, ...json], {
    stdio: 'inherit',
  });
  if (status !== 0) failed++;
}
process.exitCode = failed === 0 ? 0 : 1;
