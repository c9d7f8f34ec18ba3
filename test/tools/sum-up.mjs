// Sums up what Jest said of each project: each test that failed with the head of its message, as its own lines lie far above; what
// was skipped, and why, in one line; the counts in another.
// usage: node test/tools/sum-up.mjs FOLDER PROJECT...   FOLDER has PROJECT.json for each, and NEED.reason for each need that is not met
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

const [folder, ...projects] = process.argv.slice(2);
let passed = 0;
let failed = 0;
let skipped = 0;
const MESSAGE_LINES = 12;
/** Colours, which Jest may put into messages. */
const ESCAPES = /\u001b\[[0-9;]*m/gu;

/** What failed: where, which, and the head of what it said. */
function tell(suite, name, message) {
  const lines = message.replaceAll(ESCAPES, '').trim().split('\n');
  const head = lines.slice(0, MESSAGE_LINES).map((line) => `  ${line}`.trimEnd());
  if (lines.length > MESSAGE_LINES) head.push(`  … ${lines.length - MESSAGE_LINES} lines more`);
  console.log(
    [`Failed: ${path.relative('', suite)}`, ...(name === '' ? [] : [`  ${name}`]), ...head].join('\n'),
  );
}

/** Number of skipped tests by what they need. */
const needs = new Map();

for (const project of projects) {
  const file = path.join(folder, `${project}.json`);
  if (!existsSync(file)) {
    console.log(`Failed: the ${project} tests did not run to their end`);
    failed += 1;
    continue;
  }
  const report = JSON.parse(readFileSync(file, 'utf8'));
  passed += report.numPassedTests;
  // A suite that did not even load counts as one failure.
  failed += report.numFailedTests + report.numRuntimeErrorTestSuites;
  skipped += report.numPendingTests + report.numTodoTests;
  for (const { name: suite, status: outcome, message, assertionResults } of report.testResults) {
    if (outcome === 'failed' && !assertionResults.some(({ status }) => status === 'failed')) {
      tell(suite, '', message);
    }
    for (const { status, fullName, failureMessages } of assertionResults) {
      if (status === 'failed') tell(suite, fullName, failureMessages.join('\n'));
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
    console.log(`Failed: left over on the Docker engine: ${lines.replaceAll('\n', ', ')}`);
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
