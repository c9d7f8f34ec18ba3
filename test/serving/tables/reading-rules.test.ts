import { csvRulesOf } from '../../../client/data/table-flags';
import { readingRules } from '../../../serving/tables/reading-rules';

const GERMAN = { csv: { separator: ';', decimal: ',' as const }, missing: ['?'] };

test('each flag wins for itself, beside what the model’s training says', () => {
  expect(readingRules(csvRulesOf({ alias: [], decimal: ',' }), GERMAN)).toEqual(GERMAN);
  expect(readingRules(csvRulesOf({ alias: [], decimal: '.', missing: 'NA,' }), GERMAN)).toEqual({
    csv: { separator: ';', decimal: '.' },
    missing: ['NA', ''],
  });
});

test('a comma can not be both, whoever says so', () => {
  expect(() => readingRules(csvRulesOf({ alias: [], decimal: ',' }), {})).toThrow(
    '--decimal , needs another --separator beside it, such as ";"',
  );
  expect(() => readingRules(csvRulesOf({ alias: [], separator: ',' }), GERMAN)).toThrow('as --decimal .');
});
