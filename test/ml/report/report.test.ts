import { Evaluation, type Scores } from '../../../contracts/stage';
import { Markup, markup } from '../../../ml/report/markup';
import { reportHtml } from '../../../ml/report/report-html';
import { type ReportInput } from '../../../ml/report/report-input';
import { reportMarkdown } from '../../../ml/report/report-markdown';
import { vegaLitePlots } from '../../../ml/report/vega-lite';

const scores = (accuracy: number): Scores => ({
  metrics: { accuracy, log_loss: 0.2 },
  perClass: [
    { label: '<b>no</b>', precision: 0.9, recall: 0.8, f1: 0.85, support: 20 },
    { label: 'yes', precision: 0.7, recall: 0.6, f1: 0.65, support: 10 },
  ],
  confusion: [
    [16, 4],
    [4, 6],
  ],
  intervals: { accuracy: [0.9, 0.99] },
  curves: [
    {
      label: 'yes',
      roc: [
        [0, 0],
        [0.2, 0.9],
        [1, 1],
      ],
      precisionRecall: [
        [0.1, 1],
        [1, 0.3],
      ],
      calibration: [{ predicted: 0.2, observed: 0.25, rows: 12 }],
    },
  ],
});

const input: ReportInput = {
  model: 'iris & "friends"',
  version: '4',
  outcome: 'staged',
  reason: "accuracy 0.950 is below version 3's 0.960 | on the same 30 rows",
  championVersion: '3',
  lineage: { 'data hash': '0123abcd', branch: '<script>alert(1)</script>' },
  gate: [
    { metric: 'accuracy', least: 0.9, value: 0.95, passed: true },
    { metric: 'log_loss', most: 0.1, value: 0.2, passed: false },
  ],
  evaluation: Evaluation.parse({
    candidate: scores(0.95),
    champion: scores(0.96),
    championError: null,
    rows: 30,
    baselines: [
      { algorithm: 'majority', scores: { metrics: { accuracy: 0.67 }, perClass: [], confusion: [] } },
      {
        algorithm: 'logistic-regression',
        scores: { metrics: { accuracy: 0.89, log_loss: 0.3 }, perClass: [], confusion: [] },
      },
    ],
    slices: [{ column: 'city', slice: 'Oslo', rows: 12, value: 0.5 }],
    positive: 'yes',
    importances: {
      metric: 'balanced_accuracy',
      rows: 30,
      repeats: 5,
      leftOut: 3,
      columns: [
        { column: '<city>', mean: 0.25, interval: [0.125, 0.375] },
        { column: 'idle', mean: 0 },
      ],
    },
  }),
  training: { importances: [{ feature: 'petal_length', importance: 0.75 }] },
  profile: {
    rows: 150,
    rowsRead: 152,
    target: 'y',
    columns: [
      {
        kind: 'number',
        name: 'a',
        missing: 15,
        min: -1,
        max: 2e9,
        mean: 3.5,
        deviation: 1,
        quantiles: [-1, 0, 0, 0, 1, 3, 4, 5, 6, 7, 2e9],
        histogram: [1, 0, 5],
      },
      { kind: 'text', name: 'y', missing: 0, distinct: 2, top: [{ value: 'yes', rows: 50 }] },
    ],
  },
};

const tried: ReportInput = {
  ...input,
  training: {
    backtest: {
      ...{ unit: 'day', window: 14, gap: 1, past: null, asked: 5 },
      cutoffs: [0.2, 0.4].map((mae, k) => ({
        after: `2026-03-0${k + 1}`,
        until: `2026-03-0${k + 2}`,
        ...{ trainRows: 1200, rows: 150, metrics: { mae, r2: 0.9 } },
        baselines: [
          { algorithm: 'mean', metrics: { mae: 5 } },
          { algorithm: 'moving-average', metrics: { mae: mae + 0.1 } },
        ],
      })),
    },
  },
};

test('signals are a table of what was said and what came', () => {
  const signal = {
    ...{ from: 'price', buy: 0.05, sell: -0.05, rows: 40, right: 30 },
    signals: [{ signal: 'buy' as const, rows: 10, came: 8, right: 6, meanChange: 0.071 }],
  };
  const html = reportHtml({ ...input, evaluation: { ...input.evaluation, signal } });
  for (const text of ['at least 5.0 % above <b>price</b>', '75.0 % of 40 held-out rows', '60.0 %', '7.1 %'])
    expect(html).toContain(text);
});

describe('the backtest in a report', () => {
  it('is a table of cut-offs with the baselines beside them, and their means', () => {
    const html = reportHtml(tried);
    for (const text of [
      '<h2>Backtest</h2>',
      '2026-03-01',
      '0.2000',
      '0.5000',
      'mae of moving average',
      '0.3000',
      'Rows within 1 day',
      '2 of 5 cut-offs',
    ])
      expect(html).toContain(text);
  });

  it('is a plot of the model and of those baselines that know something, within its frame', () => {
    const html = reportHtml(tried);
    const figure = html.slice(html.indexOf('Backtest: mae by cut-off'));
    const lines = [...figure.matchAll(/<polyline class="line s(\d)" points="([^"]+)"/g)];
    expect(lines).toHaveLength(2);
    for (const [, , points = ''] of lines)
      expect(
        points
          .split(/[ ,]/)
          .map(Number)
          .every((at) => at >= 0 && at <= 310),
      ).toBe(true);
    expect(JSON.stringify(vegaLitePlots(tried)['backtest'])).toContain('moving average');
  });

  it('is a line in Markdown, and nothing where there was none', () => {
    expect(reportMarkdown(tried)).toContain(
      '**Backtest**, mean of 2 cut-offs: mae 0.3000 (mean 5.0000, moving average 0.4000).',
    );
    expect(reportMarkdown(input)).not.toContain('Backtest');
    expect(reportHtml(input)).not.toContain('Backtest');
  });
});

describe('the HTML report', () => {
  const html = reportHtml(input);

  it('needs nothing else: no script, no address', () => {
    expect(html).not.toMatch(/<script|https?:|src=|@import|url\(/i);
    expect(html).toContain("default-src 'none'");
  });

  it('escapes what comes from the data', () => {
    expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    expect(html).toContain('&lt;b&gt;no&lt;/b&gt;');
    expect(html).toContain('iris &amp; &quot;friends&quot;, version 4');
  });

  it.each([
    ['the verdict', 'accuracy 0.950 is below version 3&#39;s 0.960'],
    ['the metric with its interval', '0.9000 to 0.9900'],
    ['the champion by its version', 'version 3</th>'],
    ['the majority', '0.6700'],
    ['the logistic regression', '0.8900'],
    ['the gate', '≥ 0.9 passed'],
    ['the gate of a loss', '≤ 0.1 failed'],
    ['importances', '75.0 %'],
    ['slices', 'Oslo'],
    ['missing values', '10.0 %'],
    ['rows left out', '2 equal rows were left out'],
    ['lineage', '0123abcd'],
  ])('shows %s', (_, text) => {
    expect(html).toContain(text);
  });

  it('draws each curve, candidate and champion, within its frame', () => {
    const lines = [...html.matchAll(/<polyline class="line s(\d)" points="([^"]+)"/g)];
    expect(lines.map(([, series]) => series)).toEqual(['0', '1', '0', '1', '0', '1']);
    for (const [, , points = ''] of lines) {
      const numbers = points.split(/[ ,]/).map(Number);
      expect(numbers.every((at) => at >= 0 && at <= 310)).toBe(true);
    }
  });

  it('is the same bytes every time', () => {
    expect(reportHtml(structuredClone(input))).toBe(html);
  });

  it('does without what a run may lack', () => {
    const bare = reportHtml({
      model: 'm',
      championVersion: null,
      lineage: {},
      gate: [],
      evaluation: Evaluation.parse({
        candidate: {
          metrics: { r2: 0.5, mae: 1234.5 },
          perClass: [],
          confusion: [],
          pairs: [
            [1, 2],
            [3, 4],
          ],
        },
        champion: null,
        championError: 'it takes columns that the data no longer has: <age>',
        rows: 2,
      }),
    });
    expect(bare).toContain('no longer has: &lt;age&gt;');
    expect(bare).toContain('Predicted against true');
    expect(bare).not.toContain('undefined');
    expect(bare).not.toContain('NaN');
  });
});

describe('markup', () => {
  it('escapes everything but markup', () => {
    expect(markup`<p title="${'"'}">${'<'}${[markup`<b>${1}</b>`, new Markup('<i>')]}</p>`.text).toBe(
      '<p title="&quot;">&lt;<b>1</b><i></p>',
    );
  });
});

describe('the Markdown table', () => {
  it('has a row per metric and no cell that breaks out', () => {
    const lines = reportMarkdown(input).split('\n');
    expect(lines).toContain(
      '| metric | this model | interval | version 3 | majority | logistic regression | gate |',
    );
    expect(lines).toContain(
      '| accuracy | 0.9500 | 0.9000 to 0.9900 | 0.9600 | 0.6700 | 0.8900 | ≥ 0.9 passed |',
    );
    expect(lines).toContain('| log_loss | 0.2000 |  | 0.2000 |  | 0.3000 | ≤ 0.1 **failed** |');
    expect(lines[2]).toBe("**staged**: accuracy 0.950 is below version 3's 0.960 \\| on the same 30 rows");
  });
});

describe('the Vega-Lite plots', () => {
  it('carry the data of the curves', () => {
    const plots = vegaLitePlots(input);
    expect(Object.keys(plots)).toEqual([
      'roc',
      'precision-recall',
      'calibration',
      'importances',
      'permutation-importances',
    ]);
    expect(plots['roc']).toMatchObject({
      $schema: 'https://vega.github.io/schema/vega-lite/v5.json',
      layer: [
        {},
        {
          data: {
            values: expect.arrayContaining([{ x: 0.2, y: 0.9, model: 'this model', order: 1 }]) as unknown,
          },
        },
      ],
    });
    expect(JSON.parse(JSON.stringify(plots))).toEqual(plots);
  });
});

test('what a model needs on held-out rows stands beside what its trees used', () => {
  const html = reportHtml(input);
  expect(html).toContain('Fall of the balanced accuracy on 30 held-out rows');
  expect(html).toContain('&lt;city&gt;');
  expect(html).toContain('0.2500 (0.1250 to 0.3750)');
  expect(html).toContain('; 3 columns were not shuffled');
  expect(html).toContain('Share of the impurity');
  expect(vegaLitePlots(input)['permutation-importances']).toMatchObject({
    data: {
      values: [
        { column: '<city>', mean: 0.25, low: 0.125, high: 0.375 },
        { column: 'idle', mean: 0 },
      ],
    },
  });
});
