import * as fc from 'fast-check';
import { Evidence } from '../../../contracts/evidence';
import { evidenceHtml } from '../../../ml/report/evidence-html';

const SHA = 'a'.repeat(64);

/** A pack in which every text is the given one. */
function pack(text: string): Evidence {
  const change = { what: text, before: text, after: null };
  return Evidence.parse({
    ...{ format: 'retrain-evidence', version: 1, model: text, modelVersion: text, champion: text },
    ...{ reason: text, requestedBy: text, comparison: null, rows: text },
    gate: [{ metric: text, least: 0.9, value: 0.95, passed: true }],
    changes: { data: [change], params: [change], code: [], known: true },
    metrics: [
      { metric: text, candidate: 0.95, champion: 0.9, interval: [0.9, 1], difference: [-0.01, 0.11] },
    ],
    baselines: [{ algorithm: text, metrics: { accuracy: 0.5 } }],
    confusion: { labels: [text], counts: [[30]] },
    sideBySide: {
      confusions: {
        labels: [text, 'other'],
        candidate: [
          [3, 1],
          [0, 2],
        ],
        champion: [
          [2, 2],
          [1, 1],
        ],
      },
      disagreements: {
        ...{ total: 2, lost: 1, won: 1, columns: [text, 'n'] },
        shown: [{ row: 1, truth: text, candidate: text, champion: 'other', values: [text, 1.5] }],
      },
    },
    slices: [{ column: text, slice: text, rows: 20, candidate: 0.5, champion: 0.75 }],
    lineage: { pipelineKey: SHA, dataHash: SHA, paramsHash: SHA, codeHash: SHA },
    ...{ workflowId: text, mlflowRunId: text },
  });
}

/** The elements of a page, by the names of their tags with attributes, and nothing of its text. */
const tags = (html: string): string[] => html.match(/<[^>]*>/g) ?? [];

test('whatever the texts are, the page has the elements that it has with plain ones', () => {
  const plain = tags(evidenceHtml(pack('plain'), SHA));
  const hostile = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 40 }),
    fc.constantFrom(
      '<script>alert(1)</script>',
      '"><img src=x onerror=alert(1)>',
      "' onmouseover='alert(1)",
      '</style><svg onload=alert(1)>',
      '&lt;b&gt;',
      '__proto__',
      'constructor',
    ),
  );
  fc.assert(
    fc.property(hostile, (text) => {
      expect(tags(evidenceHtml(pack(text), SHA))).toEqual(plain);
    }),
    { numRuns: 200, examples: [['<script>alert(1)</script>'], ['a\u2028b'], ['"'], ["'"]] },
  );
});

test('tells what changed, the metrics with intervals, the matrices, the rows and the slices', () => {
  const html = evidenceHtml(pack('colour'), SHA);
  for (const told of [
    'What changed against version colour',
    '0.9500</td><td class="n">0.9000</td><td class="n">+0.0500</td><td class="n quiet">−0.0100 … +0.1100',
    'Confusion matrices',
    'Rows on which the two disagree',
    '<td class="n bad">−0.2500</td>',
    SHA,
  ]) {
    expect(html).toContain(told);
  }
});

test('of a first version, says that nothing was in production', () => {
  const first = { ...pack('m'), champion: null, sideBySide: null, slices: [] };
  const html = evidenceHtml(first, SHA);
  expect(html).toContain('Nothing was in production.');
  expect(html).toContain('On all held-out rows. Rows are true');
  const unknown = { ...pack('m'), changes: { ...first.changes, known: false } };
  expect(evidenceHtml(unknown, SHA)).toContain('does not tell what it was made of');
});
