import { SecretMask } from '../../../integrations/docker/secret-mask';

const masked = (value: string, said: string): string => new SecretMask(['KEY'], { KEY: value }).text(said);

test.each([
  ['whole', 'tr0ub4dor', 'key=tr0ub4dor, tr0ub4dor!', 'key=[secret], [secret]!'],
  [
    'of an address, and its password alone',
    'postgres://u:tr0ub4dor@db/o',
    'postgres://u:tr0ub4dor@db/o, tr0ub4dor',
    '[secret], [secret]',
  ],
  [
    'of an address, decoded',
    'postgres://u:tr0ub%404dor@db/o',
    'no login as u with tr0ub@4dor',
    'no login as u with [secret]',
  ],
  ['as JSON has it', 'tr0"ub\\4', String.raw`{"key":"tr0\"ub\\4"}`, '{"key":"[secret]"}'],
  ['line by line', 'BEGIN KEY\nMIIEvQIBADAN\nEND KEY', 'read MIIEvQIBADAN', 'read [secret]'],
  ['with what a pattern would take for its own', 'a.*b(c$&', 'got a.*b(c$&; axxb(c', 'got [secret]; axxb(c'],
])('hides a value %s', (_, value, said, shown) => {
  expect(masked(value, said)).toBe(shown);
});

test('leaves short words, variables that are not given, and everything else alone', () => {
  expect(masked('true', 'it is true')).toBe('it is true');
  expect(masked('', 'nothing')).toBe('nothing');
  expect(new SecretMask(undefined, { KEY: 'tr0ub4dor' }).text('tr0ub4dor')).toBe('tr0ub4dor');
  expect(new SecretMask(['OTHER'], { KEY: 'tr0ub4dor' }).text('tr0ub4dor')).toBe('tr0ub4dor');
});
