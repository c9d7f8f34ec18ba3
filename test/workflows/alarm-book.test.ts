import fc from 'fast-check';
import { type AlarmFinding, type AlarmState } from '../../contracts/alarm';
import { type AlarmCause } from '../../contracts/drift';
import { holdBack, nextRelease, NO_ALARMS, release, settle } from '../../workflows/alarm-book';
import { raisedNotice, resolvedNotice } from '../../workflows/alarm-notices';

const HOUR_MS = 3_600_000;
const BEGIN = Date.parse('2026-03-09T00:00:00Z');

function cause(key: string): AlarmCause {
  return { key, column: null, title: `title of ${key}`, detail: 'it was 1, it is 2', rows: 7 };
}

function finding(number: number, keys: readonly string[], more: Partial<AlarmFinding> = {}): AlarmFinding {
  return {
    checkId: `check-${number}`,
    model: 'iris',
    modelVersion: '3',
    at: new Date(BEGIN + number * HOUR_MS).toISOString(),
    checked: ['drift', 'accuracy:live', 'accuracy:estimated', 'training', 'watch'],
    causes: keys.map(cause),
    more: 0,
    report: { url: 'https://mlflow/report', sha256: 'a'.repeat(64) },
    mlflowRunId: 'r',
    mlflowExperimentId: '1',
    policy: {
      notify: true,
      train: false,
      trainEveryMs: 24 * HOUR_MS,
      resolvedAfter: 1,
      quietUntil: null,
      clock: 'given',
      params: 'params.yaml',
    },
    ...more,
  };
}

const KEYS = ['drift:age:distribution', 'drift:joint', 'accuracy:live', 'training:v5'] as const;

/** A story: what each check finds, which parts it looked at, and whether it fell into quiet hours. */
const story = fc.array(
  fc.record({
    keys: fc.subarray([...KEYS]),
    unlooked: fc.subarray(['drift', 'accuracy:live', 'training'] as const),
    quiet: fc.boolean(),
    twice: fc.boolean(),
  }),
  { maxLength: 25 },
);

/** Goes through a story as the desk does. @returns ids of the notices in the order in which they were told, and what they say */
function told(
  steps: typeof story extends fc.Arbitrary<infer T> ? T : never,
  resolvedAfter: number,
): { raised: string[][]; resolved: string[][]; delivered: string[]; made: string[]; state: AlarmState } {
  let state = NO_ALARMS;
  const [raised, resolved]: [string[][], string[][]] = [[], []];
  const [delivered, made]: [string[], string[]] = [[], []];
  steps.forEach(({ keys, unlooked, quiet, twice }, number) => {
    const at = BEGIN + number * HOUR_MS;
    const looked = (key: string): boolean => !unlooked.some((family) => key.startsWith(family));
    const one = finding(number, keys.filter(looked));
    const asked: AlarmFinding = {
      ...one,
      checked: one.checked.filter((family) => !(unlooked as readonly string[]).includes(family)),
      policy: {
        ...one.policy,
        resolvedAfter,
        quietUntil: quiet ? new Date(at + 5 * HOUR_MS).toISOString() : null,
      },
    };
    for (let time = 0; time < (twice ? 2 : 1); time++) {
      const let_go = release(state, at, 'given');
      delivered.push(...let_go.due.map(({ id }) => id));
      const settled = settle(let_go.state, asked);
      state = settled.state;
      raised.push(settled.raised.map(({ key }) => key));
      resolved.push(settled.resolved.map(({ cause: { key } }) => key));
      const notices = [
        ...(settled.raised.length > 0 ? [raisedNotice(asked, settled, null)] : []),
        ...(settled.resolved.length > 0 ? [resolvedNotice(asked, settled)] : []),
      ];
      for (const notice of notices) {
        made.push(notice.id);
        const held = holdBack(state, notice, asked.policy);
        state = held.state;
        if (held.now !== null) delivered.push(held.now.id);
      }
    }
  });
  return { raised, resolved, delivered, made, state };
}

test('each cause is told once when it begins and once when it ends, in turns', () => {
  fc.assert(
    fc.property(story, fc.integer({ min: 1, max: 3 }), (steps, resolvedAfter) => {
      const { raised, resolved, state } = told(steps, resolvedAfter);
      for (const key of KEYS) {
        // Within one check an end and a new begin of the same cause cannot meet.
        const turns = raised.flatMap((keys, check) => [
          ...(keys.includes(key) ? ['raised'] : []),
          ...(resolved[check]?.includes(key) === true ? ['resolved'] : []),
        ]);
        turns.forEach((turn, index) => expect(turn).toBe(index % 2 === 0 ? 'raised' : 'resolved'));
        const isOpen = state.open.some((one) => one.cause.key === key);
        expect(isOpen).toBe(turns.length % 2 === 1);
      }
    }),
    { numRuns: 300 },
  );
});

test('quiet hours delay notices, and lose none', () => {
  fc.assert(
    fc.property(story, (steps) => {
      const { delivered, made, state } = told(steps, 1);
      const later = release(state, BEGIN + 1000 * HOUR_MS, 'given');
      const all = [...delivered, ...later.due.map(({ id }) => id)];
      expect(all.sort()).toEqual([...made].sort());
      expect(new Set(made).size).toBe(made.length);
      expect(later.state.held).toEqual([]);
    }),
    { numRuns: 300 },
  );
});

test('what was not looked at does not end, and a check with enough rows ends it after as many as are asked for', () => {
  let { state } = settle(NO_ALARMS, finding(0, ['drift:age:distribution']));
  ({ state } = settle(state, finding(1, [], { checked: ['accuracy:live'] })));
  expect(state.open).toHaveLength(1);
  const policy = { ...finding(0, []).policy, resolvedAfter: 2 };
  ({ state } = settle(state, finding(2, [], { policy })));
  expect(state.open[0]).toMatchObject({ clear: 1, since: '2026-03-09T00:00:00.000Z' });
  // It flickers: found again, it lasts, and is not told again.
  const again = settle(state, finding(3, ['drift:age:distribution'], { policy }));
  expect(again.raised).toEqual([]);
  expect(again.state.open[0]?.clear).toBe(0);
  const clear = settle(again.state, finding(4, [], { policy }));
  expect(settle(clear.state, finding(5, [], { policy })).resolved).toHaveLength(1);
});

test('the same check told twice counts once', () => {
  const once = settle(NO_ALARMS, finding(0, ['drift:joint']));
  expect(settle(once.state, finding(0, ['drift:joint']))).toMatchObject({ raised: [], resolved: [] });
  expect(settle(once.state, finding(0, [])).state).toBe(once.state);
});

test('a training is asked for when an alarm begins, then no more often than is set, and never for what it cannot mend', () => {
  const policy = { ...finding(0, []).policy, train: true };
  const first = settle(NO_ALARMS, finding(0, ['drift:joint'], { policy }));
  expect(first.train).toBe(true);
  const soon = settle(first.state, finding(3, ['drift:joint'], { policy }));
  expect(soon.train).toBe(false);
  expect(settle(soon.state, finding(24, ['drift:joint'], { policy })).train).toBe(true);
  expect(settle(soon.state, finding(24, [], { policy })).train).toBe(false);
  expect(settle(NO_ALARMS, finding(0, ['training:v5', 'watch:drift'], { policy })).train).toBe(false);
});

test('alarms that come and go ask for a training no more often than is set', () => {
  const policy = { ...finding(0, []).policy, train: true };
  let state = NO_ALARMS;
  const trained: number[] = [];
  // Each cause ends with the next check, and another begins: as when each hour has new data, and no training wins.
  for (let hour = 0; hour < 72; hour++) {
    const settled = settle(state, finding(hour, [KEYS[hour % 3] ?? 'drift:joint'], { policy }));
    state = settled.state;
    if (settled.train) trained.push(hour);
  }
  expect(trained).toEqual([0, 24, 48]);
});

test('a training of a moment that is yet to come keeps no other from its turn', () => {
  const policy = { ...finding(0, []).policy, train: true };
  const ahead = settle(NO_ALARMS, finding(9000, ['drift:joint'], { policy }));
  expect(settle(ahead.state, finding(1, ['drift:joint'], { policy })).train).toBe(true);
});

test('who looks back at an earlier moment than that of the latest check raises, ends and trains nothing', () => {
  const by = (clock: 'machine' | 'given') => ({
    policy: { ...finding(0, []).policy, train: true, clock },
  });
  const { state } = settle(NO_ALARMS, finding(100, ['drift:joint'], by('machine')));
  for (const keys of [[], ['accuracy:live']]) {
    expect(settle(state, finding(50, keys, by('given')))).toEqual({
      ...{ state, raised: [], resolved: [], train: false },
    });
  }
  expect(settle(state, finding(101, [], by('given'))).resolved).toHaveLength(1);
  // By the clock it is no look back: the clock was set.
  expect(settle(state, finding(50, [], by('machine'))).resolved).toHaveLength(1);
});

test('what quotes strangers is bounded, and so is how much is followed', () => {
  const many = Array.from({ length: 100 }, (_, i) => ({
    ...cause(`drift:c${i}:missing`),
    detail: 'x'.repeat(1e5),
  }));
  const first = settle(NO_ALARMS, { ...finding(0, []), causes: many });
  const more = settle(
    first.state,
    finding(1, ['accuracy:live'], { causes: [...many.slice(0, 99), cause('accuracy:live')] }),
  );
  expect(more.state.open).toHaveLength(100);
  expect(JSON.stringify(more.state).length).toBeLessThan(90_000);
});

test('a machine’s clock lets go what was held for it, and no other', () => {
  const { policy } = finding(0, []);
  const notice = raisedNotice(
    finding(0, ['drift:joint']),
    settle(NO_ALARMS, finding(0, ['drift:joint'])),
    null,
  );
  const until = new Date(BEGIN + HOUR_MS).toISOString();
  const { state } = holdBack(NO_ALARMS, notice, { ...policy, quietUntil: until, clock: 'machine' });
  expect(nextRelease(state)).toBe(BEGIN + HOUR_MS);
  expect(release(state, BEGIN + HOUR_MS - 1, 'machine').due).toEqual([]);
  expect(release(state, BEGIN + 9 * HOUR_MS, 'given').due).toEqual([]);
  expect(release(state, BEGIN + HOUR_MS, 'machine').due).toEqual([notice]);
});

test('notices name the worst, count the rest, and say what a training came to', () => {
  const asked = finding(
    0,
    [
      'drift:a:missing',
      'drift:b:missing',
      'drift:c:missing',
      'drift:d:missing',
      'drift:e:missing',
      'drift:f:missing',
    ],
    { more: 2 },
  );
  const settled = settle(NO_ALARMS, asked);
  const { title, text, id } = raisedNotice(asked, settled, {
    how: 'finished',
    workflowId: null,
    reason: 'version 3',
  });
  expect(title).toBe('iris v3: title of drift:a:missing, and 7 more');
  expect(text).toContain('title of drift:e:missing: it was 1, it is 2. 7 rows. 3 more: see the report.');
  expect(text).toContain(
    'No training was started: the data as they are have been trained on already (version 3). New data are needed.',
  );
  expect(id).toBe('alarms-iris-check-0-raised');
});
