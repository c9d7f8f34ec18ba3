// Sums up what Jest said of each project: what was skipped, and why, in one line; the counts in another.
// usage: node test/tools/sum-up.mjs FOLDER PROJECT...   FOLDER has PROJECT.json for each, and NEED.reason for each need that is not met
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

const [folder, ...projects] = process.argv.slice(2);
let passed = 0;
let failed = 0;
let skipped = 0;
/** Number of skipped tests by what they need. */
const needs = new Map();

for (const project of projects) {
  const file = path.join(folder, `${project}.json`);
  if (!existsSync(file)) {
    console.log(`The ${project} tests did not run to their end.`);
    failed += 1;
    continue;
  }
  const report = JSON.parse(readFileSync(file, 'utf8'));
  passed += report.numPassedTests;
  // A suite that did not even load counts as one failure.
  failed += report.numFailedTests + report.numRuntimeErrorTestSuites;
  skipped += report.numPendingTests + report.numTodoTests;
  for (const { assertionResults } of report.testResults) {
    for (const { status, fullName } of assertionResults) {
      if (status !== 'pending') continue;
      const need = /\[needs ([a-z-]+)\]/.exec(fullName)?.[1];
      if (need !== undefined) needs.set(need, (needs.get(need) ?? 0) + 1);
    }
  }
}

// What suites left on the engine, one line each.
const leftOver = path.join(folder, 'left-over.txt');
if (existsSync(leftOver)) {
  const lines = readFileSync(leftOver, 'utf8').trim();
  if (lines === '') passed += 1;
  else {
    failed += 1;
    console.log(`Left over on the Docker engine: ${lines.replaceAll('\n', ', ')}`);
  }
}

const DEFAULTS = {
  'second-engine':
    'only root, in a container or CI, starts a Docker engine; RETRAIN_TEST_ENGINE=own allows it elsewhere',
  'small-disk': 'only root, or who becomes root without a password, may mount a small file system',
};

function reasonOf(need) {
  const file = path.join(folder, `${need}.reason`);
  const reason = existsSync(file) ? readFileSync(file, 'utf8').trim().replaceAll('\n', ' ') : '';
  return reason || (DEFAULTS[need] ?? 'not found; see the log of the set-up');
}

if (needs.size > 0) {
  const parts = [...needs].map(([need, count]) => `${count} for want of ${need} (${reasonOf(need)})`);
  console.log(`Skipped: ${parts.join(', ')}`);
}
console.log(`Tests: ${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = failed > 0 ? 1 : 0;
