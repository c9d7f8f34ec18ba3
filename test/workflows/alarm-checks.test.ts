import fc from 'fast-check';
import { checkDeskInput, checkFinding } from '../../workflows/alarm-checks';
import { NO_ALARMS, settle } from '../../workflows/alarm-book';
import { type AlarmFinding } from '../../contracts/alarm';

const FINDING: AlarmFinding = {
  checkId: 'c',
  model: 'iris',
  modelVersion: '3',
  at: '2026-03-09T00:00:00Z',
  checked: ['drift'],
  causes: [{ key: 'drift:joint', column: null, title: 't', detail: 'd', rows: 1 }],
  more: 0,
  report: null,
  mlflowRunId: null,
  mlflowExperimentId: null,
  policy: {
    notify: true,
    train: false,
    trainEveryMs: 1,
    resolvedAfter: 1,
    quietUntil: null,
    clock: 'machine',
    params: 'params.yaml',
  },
};

test('what checks tell is taken', () => {
  expect(() => checkFinding('iris', FINDING)).not.toThrow();
});

test('whatever else somebody types is refused in words, or can be settled: nothing stops the desk', () => {
  const places = [
    '',
    ...Object.keys(FINDING),
    'causes.0',
    'causes.0.key',
    'causes.0.title',
    'policy.quietUntil',
    'policy.clock',
    'checked.0',
  ];
  fc.assert(
    fc.property(fc.constantFrom(...places), fc.anything(), (place, value) => {
      const finding = structuredClone(FINDING) as unknown as Record<string, unknown>;
      const keys = place.split('.');
      let at = finding;
      for (const key of keys.slice(0, -1)) at = at[key] as Record<string, unknown>;
      const asked: unknown = place === '' ? value : finding;
      if (place !== '') at[keys.at(-1)!] = value;
      let refused: unknown;
      try {
        checkFinding('iris', asked);
      } catch (error) {
        refused = error;
      }
      if (refused === undefined) expect(() => settle(NO_ALARMS, asked as AlarmFinding)).not.toThrow();
      else expect(refused).toMatchObject({ type: 'USAGE', nonRetryable: true });
    }),
    { numRuns: 500 },
  );
});

test.each([
  [{ ...FINDING, model: 'other' }, /it is of other/],
  [{ ...FINDING, at: 'soon' }, /`at` is no moment/],
  [{ ...FINDING, causes: Array.from({ length: 101 }, () => FINDING.causes[0]) }, /101 causes/],
  [{ ...FINDING, causes: [{ ...FINDING.causes[0], title: 'x'.repeat(3000) }] }, /too long/],
])('refuses what is not in order', (finding, words) => {
  expect(() => checkFinding('iris', finding)).toThrow(words);
});

test('a desk is not started by hand without a model', () => {
  for (const input of [undefined, null, {}, 'iris', { model: 7 }])
    expect(() => checkDeskInput(input)).toThrow(/started by the checks/);
  expect(checkDeskInput({ model: 'iris' })).toEqual({ model: 'iris' });
});
