import { MonitorInput } from '../../contracts/watch';

test.each([
  ['2026-03-09T00:00:00Z', null],
  ['1970-01-01T00:00:00+00:00', null],
  // MLflow keeps no figure of before, and would say so in words of its own.
  ['0001-01-01T00:00:00Z', 'must be a time from 1970 on'],
  ['1969-12-31T23:59:59Z', 'must be a time from 1970 on'],
  ['yesterday', 'Invalid ISO datetime'],
])('a check of the moment %s: %s', (now, mistake) => {
  const { error } = MonitorInput.safeParse({ model: 'iris-classifier', now });
  expect(error?.issues.map(({ message }) => message) ?? null).toEqual(mistake === null ? null : [mistake]);
});
