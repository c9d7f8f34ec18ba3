import * as fc from 'fast-check';
import { DriftReport } from '../../../contracts/drift';
import { driftHtml } from '../../../ml/report/drift-html';

/** A report in which every text is the given one. */
function report(text: string): DriftReport {
  const column = (kind: 'number' | 'text') => ({
    ...{ name: text, kind, alarms: ['new values', 'distribution', 'missing'], stability: 0.4, chance: 1e-9 },
    ...{ wasserstein: kind === 'number' ? 1.5 : null, jensenShannon: kind === 'text' ? 0.5 : null },
    missing: { reference: 0, current: 0.2, chance: 0 },
    strange: { rows: 3, chance: 0, levels: [text] },
    bins: { bins: [text, 'others', 'missing'], reference: [90, 10, 0], current: [30, 50, 20] },
  });
  return DriftReport.parse({
    ...{ model: text, modelVersion: text, mlflowRunId: text, enough: true, needed: 100, falseAlarms: 1 / 30 },
    reference: { rows: 100, of: 1000, season: { column: text, values: 2 } },
    current: { source: 'data', window: null, data: { path: text, hash: text }, rows: 100, of: 100 },
    ...{ leftOut: [{ column: text, why: text }], notes: [text] },
    columns: [column('number'), column('text')],
    prediction: column('number'),
    joint: { auc: 0.8, low: 0.75, high: 0.85, chance: 0, alarm: true, columns: [text] },
    causes: [{ key: 'drift:x', column: text, title: text, detail: text, rows: 3 }],
  });
}

/** Tags and attributes, without what stands between them. */
const skeleton = (html: string): string => html.replace(/>[^<]*</g, '><').replace(/="[^"]*"/g, '=""');

test('no name of a column or level becomes markup', () => {
  const plain = skeleton(driftHtml(report('x')));
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary', minLength: 1 }),
        fc.constantFrom(
          '</style><script>alert(1)</script>',
          '" onmouseover="alert(1)',
          "'><img src=x>",
          '<!--',
        ),
      ),
      (text) => {
        expect(skeleton(driftHtml(report(text)))).toBe(plain);
      },
    ),
    { numRuns: 300 },
  );
});

test('a page of thousands of columns with names of pages is bounded, and the worst are drawn', () => {
  const one = report('x');
  const name = 'long '.repeat(2000);
  const columns = Array.from({ length: 5000 }, (_, i) => ({ ...one.columns[0]!, name: `${i} ${name}` }));
  const html = driftHtml({ ...one, columns });
  expect(html.length).toBeLessThan(3_000_000);
  expect(html.match(/class="column alarmed"/g)).toHaveLength(151);
  expect(html).toContain('4,850 more columns');
});

test('too few rows are said, and nothing is drawn', () => {
  const few = driftHtml({
    ...report('x'),
    enough: false,
    columns: [],
    causes: [],
    prediction: null,
    joint: null,
  });
  expect(few).toContain('Too few rows: 100, and 100 are needed');
  expect(few).not.toContain('Columns, worst first');
});
