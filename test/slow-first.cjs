// The order in which Jest starts the suites. On a machine that has not run them before it knows only the sizes of the files; a suite of two
// minutes that comes last would then keep everybody waiting. Those that take longest come first; the others as Jest has them.
const { default: Sequencer } = require('@jest/test-sequencer');

const SLOW = [
  'serving/foreign-models',
  'stack/up-down',
  'pipeline/crashes',
  'watch/monitor',
  'drift/check-drift',
  'pipeline/faults',
  'steward/contest',
  'steward/by-hand',
  'github-workflow',
  'docker/pipeline',
  'docker/compose-up',
  'json-output',
  'pipeline/histories',
  'docker/container-life',
  'ml/forest/histogram/scikit-learn',
  'ml/trainer/gradient-boosting',
];

module.exports = class SlowFirst extends Sequencer {
  sort(tests) {
    const place = ({ path }) => {
      const found = SLOW.findIndex((name) => path.endsWith(`/${name}.test.ts`));
      return found < 0 ? SLOW.length : found;
    };
    return [...super.sort(tests)].sort((a, b) => place(a) - place(b));
  }
};
