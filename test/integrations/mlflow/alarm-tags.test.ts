import { type AlarmState } from '../../../contracts/alarm';
import { alarmStateOf, alarmTags } from '../../../integrations/mlflow/alarm-tags';

const AT = '2026-03-09T00:00:00.000Z';

const stateOf = (count: number, name = 'age'): AlarmState => ({
  version: '3',
  open: Array.from({ length: count }, (_, at) => ({
    cause: {
      key: `drift:${name}${at}:missing`.slice(0, 600),
      column: `${name}${at}`,
      title: 't'.repeat(200),
      detail: 'd'.repeat(500),
      rows: 7,
    },
    since: AT,
    seen: AT,
    clear: 0,
  })),
  held: [],
  trainedAt: null,
  checks: ['c'],
});

const read = (text: string): AlarmState | null => alarmStateOf({ version: '3', tags: { alarm_state: text } });

test('alarms are read as they were written', () => {
  const state = stateOf(100);
  expect(alarmStateOf({ version: '3', tags: alarmTags(state) })).toEqual(state);
});

test('a hundred alarms of columns whose names are pages long lose details, and not themselves', () => {
  const { alarm_state: text = '' } = alarmTags(stateOf(100, 'x'.repeat(5000)));
  expect(text.length).toBeLessThanOrEqual(100_000);
  expect(read(text)?.open.map(({ cause }) => cause.title)).toEqual(Array(100).fill('t'.repeat(200)));
});

const with_ = (more: object): string => JSON.stringify({ ...stateOf(1), ...more });

// What a desk that began with one of these would wait for without end, or print.
test.each([
  ['another version', with_({ version: '4' })],
  [
    'a notice that is held until never',
    with_({
      held: [
        {
          notice: {
            ...{ id: 'i', title: '', text: '', modelVersion: '3', reason: '', report: null, at: AT },
            ...{ mlflowRunId: null, mlflowExperimentId: null },
          },
          ...{ until: 'never', clock: 'machine' },
        },
      ],
    }),
  ],
  ['a training that was started at no moment', with_({ trainedAt: 'x' })],
  [
    'an alarm since a moment with a command for the terminal',
    with_({ open: [{ ...stateOf(1).open[0], since: '2026 (\u001b[2J)' }] }),
  ],
  ['a list', '[]'],
  ['half a mapping', '{'],
  ['a depth of ten thousand', '['.repeat(10_000)],
  ['a hundred and one alarms', JSON.stringify(stateOf(101))],
])('the tag of a stranger with %s is no state', (_, text) => {
  expect(read(text)).toBeNull();
});
