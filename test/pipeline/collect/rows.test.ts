import { CollectParams } from '../../../contracts/collect-params';
import { type HttpSource, isHttp } from '../../../contracts/collect-source';
import { afterWatermark, type Watermark } from '../../../pipeline/collect/after-watermark';
import { type Cell } from '../../../pipeline/collect/fit-cell';
import { fitRows } from '../../../pipeline/collect/fit-rows';
import { quarantineText } from '../../../pipeline/collect/quarantine';
import { sourceUrl } from '../../../pipeline/collect/source-url';
import { CollectBench } from './collect-bench';

const source = (rest: object): HttpSource => {
  const { s } = CollectParams.parse({
    sources: { s: { url: 'https://e.com/{day}', max_quarantined: 1, columns: { a: 'text' }, ...rest } },
  }).sources;
  if (s === undefined || !isHttp(s)) throw new Error('no HTTP source');
  return s;
};

/** What a value becomes in a column, or why it is refused. */
async function cellOf(value: unknown, column: object | string): Promise<Cell | string> {
  const { rows, refused } = await fitRows(source({ columns: { a: column } }), '2026-03-09', [{ a: value }]);
  return rows[0] === undefined ? (refused[0]?.why ?? '') : (rows[0][0] ?? null);
}

test.each<[unknown, object | string, Cell]>([
  ['x', 'text', 'x'],
  [1.5, 'number', 1.5],
  ['12.50', 'number', 12.5],
  [-0, 'number', 0],
  ['1e3', 'integer', 1000],
  [true, 'boolean', true],
  ['2024-02-29', 'date', '2024-02-29'],
  ['2026-03-09T12:00:00+02:00', 'time', '2026-03-09T10:00:00.000Z'],
  ['2026-03-09 12:00:00Z', 'time', '2026-03-09T12:00:00.000Z'],
  ['2026-03-09 12:00:00.123456+00', 'time', '2026-03-09T12:00:00.123Z'],
  ['2026-03-09 12:00:00-05', 'time', '2026-03-09T17:00:00.000Z'],
  [null, { type: 'text', required: false }, null],
  [undefined, { type: 'number', required: false }, null],
  [3, { type: 'number', min: 3, max: 3 }, 3],
  ['2026-03-09', { type: 'date', min: '2026-01-01' }, '2026-03-09'],
])('%j in a column %j is %j', async (value, column, cell) => {
  expect(await cellOf(value, column)).toEqual(cell);
});

test.each<[unknown, object | string, string]>([
  [undefined, 'text', 'a is missing'],
  [null, 'text', 'a is null'],
  [1, 'text', 'a must be a text, got a number'],
  ['x\ud800', 'text', 'a must be a text of Unicode, got one with half a character'],
  ['x'.repeat(10_001), 'text', 'a must be a text of at most 10000 characters'],
  ['', 'number', 'a must be a number, got another text'],
  ['1_000', 'number', 'a must be a number, got another text'],
  ['0x10', 'number', 'a must be a number, got another text'],
  ['1e999', 'number', 'a must be a number, got another text'],
  [1.5, 'integer', 'a must be an integer within ±2^53, got a number'],
  [2 ** 53, 'integer', 'a must be an integer within ±2^53, got a number'],
  ['true', 'boolean', 'a must be true or false, got another text'],
  ['2026-02-29', 'date', 'a must be a day such as 2026-03-09, got another text'],
  ['2026-03-09', 'time', 'a must be a time such as 2026-03-09T12:00:00Z, got another text'],
  ['2026-03-09T12:00:00', 'time', 'a must be a time such as 2026-03-09T12:00:00Z, got another text'],
  [2, { type: 'number', min: 3 }, 'a must be ≥ 3'],
  [
    '2026-03-09T00:00:01Z',
    { type: 'time', max: '2026-03-09T01:00:00+01:00' },
    'a must be ≤ 2026-03-09T01:00:00+01:00',
  ],
  ['z', { type: 'text', one_of: ['x', 'y'] }, 'a must be one of x, y'],
  [{}, 'text', 'a must be a text, got a mapping'],
])('%j in a column %j is refused: %s', async (value, column, why) => {
  expect(await cellOf(value, column)).toBe(why);
});

test('a column may be deeper in a row, or have a name that objects have by themselves', async () => {
  const nested = source({
    columns: {
      amount: { type: 'number', at: '/price/amount' },
      constructor: { type: 'text', required: false },
    },
  });
  const { rows, newColumns } = await fitRows(nested, '2026-03-09', [{ price: { amount: 3 }, extra: 1 }]);
  expect(rows).toEqual([[3, null]]);
  expect(newColumns).toEqual(['extra']);
});

test('rows that are no mappings, and rows that contradict each other, are refused', async () => {
  const { rows, refused, repeated } = await fitRows(
    source({ columns: { id: 'text', n: 'number' }, unique: ['id'] }),
    '2026-03-09',
    [null, [1], 'x', { id: 'b', n: 1 }, { id: 'a', n: 2 }, { id: 'a', n: 2 }, { id: 'b', n: 9 }],
  );
  expect(rows).toEqual([
    ['a', 2],
    ['b', 1],
  ]);
  expect(repeated).toBe(1);
  expect(refused.map(({ row, why }) => [row, why])).toEqual([
    [0, 'is null, expected a mapping'],
    [1, 'is a list, expected a mapping'],
    [2, 'is a string, expected a mapping'],
    [6, 'says something else than another row of the same id'],
  ]);
});

test('quarantine is bounded, and tells how much more there is', () => {
  const refused = Array.from({ length: 1500 }, (_, row) => ({ row, why: 'x', value: 'y'.repeat(10_000) }));
  const lines = quarantineText(refused).trim().split('\n');
  expect(lines).toHaveLength(1001);
  expect(JSON.parse(lines.at(-1)!)).toEqual({ more: 500 });
  expect(lines[0]!.length).toBeLessThan(4200);
});

describe('a watermark', () => {
  const growing = source({
    url: 'https://e.com/events?since={watermark}',
    columns: { id: 'integer', at: 'time' },
    watermark: { column: 'at', start: '2026-03-01T00:00:00Z' },
  });
  const names = ['id', 'at'];
  const time = (minute: number): string => `2026-03-09T12:0${minute}:00.000Z`;

  test('moves with the rows; those at it are told apart by what they say', () => {
    const none: Watermark = { value: '2026-03-01T00:00:00Z', boundary: [] };
    const first = afterWatermark(
      growing,
      names,
      [
        [1, time(0)],
        [2, time(1)],
        [3, time(1)],
      ],
      none,
    );
    expect(first).toMatchObject({ known: 0, after: { value: time(1) } });
    // The source begins with the watermark, has a row more of that minute, and forgets nothing.
    const second = afterWatermark(
      growing,
      names,
      [
        [1, time(0)],
        [2, time(1)],
        [3, time(1)],
        [4, time(1)],
        [5, time(2)],
      ],
      first.after,
    );
    expect(second.rows.map(([id]) => id)).toEqual([4, 5]);
    expect(second.known).toBe(3);
    const third = afterWatermark(growing, names, [[4, time(1)]], {
      ...first.after,
      boundary: [...first.after.boundary],
    });
    expect(third.after.boundary).toHaveLength(3);
    expect(afterWatermark(growing, names, [[4, time(1)]], third.after).rows).toEqual([]);
  });

  test('is sent to the source as text that is safe in an address', () => {
    expect(sourceUrl(growing, '2026-03-09', 'a&b=c d/../').href).toBe(
      'https://e.com/events?since=a%26b%3Dc%20d%2F..%2F',
    );
    expect(
      sourceUrl({ url: 'https://e.com/{yyyy}/{mm}/{dd}?from={from}&to={to}' }, '2026-02-28', '').href,
    ).toBe('https://e.com/2026/02/28?from=2026-02-28&to=2026-03-01');
  });

  test('is that of the days whose file is in place, whatever ends in between', async () => {
    const bench = new CollectBench();
    try {
      await bench.start();
      const events: { id: number; at: string }[] = [];
      bench.server.play = (_, response, url) => {
        const since = url.searchParams.get('since') ?? '';
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(JSON.stringify(events.filter(({ at }) => at >= since)));
      };
      const options = {
        url: `${bench.server.origin}/events?since={watermark}`,
        ...{ rows: '', columns: { id: 'integer', at: 'time' }, unique: ['id'], format: 'json' },
        watermark: { column: 'at', start: '2026-03-01T00:00:00.000Z' },
      };
      const on = (day: string, fail = false): ReturnType<CollectBench['collect']> =>
        bench.collect(day, {
          ...{ source: options, now: `${day}T23:00:00Z`, by: day },
          onStep: (step) => {
            if (fail && step === 'placed') throw new Error('the process ends here');
          },
        });
      events.push({ id: 1, at: '2026-03-08T10:00:00.000Z' });
      expect(await on('2026-03-08')).toMatchObject({ rows: 1, watermark: '2026-03-08T10:00:00.000Z' });
      events.push({ id: 2, at: '2026-03-09T10:00:00.000Z' });
      await expect(on('2026-03-09', true)).rejects.toThrow('the process ends here');
      events.push({ id: 3, at: '2026-03-09T11:00:00.000Z' });
      expect(await on('2026-03-09')).toMatchObject({
        rows: 2,
        repeated: 1,
        watermark: '2026-03-09T11:00:00.000Z',
      });
      // A week of silence, then one file with all that is new.
      events.push({ id: 4, at: '2026-03-12T10:00:00.000Z' }, { id: 5, at: '2026-03-15T10:00:00.000Z' });
      expect(await on('2026-03-16')).toMatchObject({ rows: 2 });
      const files = ['2026-03-08', '2026-03-09', '2026-03-16'].map((day) =>
        bench.text(`data/raw/cards-${day}.json`),
      );
      expect(files.flatMap((text) => (JSON.parse(text) as { id: number }[]).map(({ id }) => id))).toEqual([
        1, 2, 3, 4, 5,
      ]);
    } finally {
      await bench.stop();
    }
  });
});

describe('params.yaml', () => {
  const parse = (rest: object, collect: object = {}): string => {
    const parsed = CollectParams.safeParse({
      sources: { s: { url: 'https://e.com/{day}', columns: { a: 'text' }, ...rest } },
      ...collect,
    });
    return parsed.success
      ? ''
      : parsed.error.issues
          .map(
            (issue) =>
              `${issue.path.join('.')} ${issue.code === 'invalid_key' ? issue.issues[0]?.message : issue.message}`,
          )
          .join('; ');
  };

  test.each<[object, RegExp]>([
    [{ url: 'ftp://e.com/' }, /must begin with https/],
    [{ url: 'https://{day}.e.com/' }, /must not have braces in its host/],
    [{ url: 'https://u:p@e.com/' }, /must have no user or password/],
    [{ url: 'https://e.com/{secret}' }, /must name only \{day\}/],
    [{ url: 'https://e.com/{watermark}' }, /sources.s.watermark is needed/],
    [{ url: 'https://e.com/#x' }, /must have no #/],
    [{ headers: { Authorization: 'Bearer x' } }, /a key goes into auth/],
    [{ headers: { Host: 'internal' } }, /is not to be set here/],
    [{ headers: { A: 'x\r\nHost: b' } }, /must be printable ASCII/],
    [{ auth: { env: 'K' } }, /needs either header or query/],
    [{ auth: { env: 'K', query: 'key' }, url: 'https://e.com/?key=1' }, /must not be in the url as well/],
    [{ columns: {} }, /must name at least one column/],
    [{ columns: { a: { type: 'text', min: 1 } } }, /is not for a column of type text/],
    [{ columns: { a: { type: 'date', min: 1 } } }, /must be a string in a column of type date/],
    [{ columns: { a: 'text', A: 'text' } }, /differ in upper and lower case only/],
    [{ columns: { 'a\0': 'text' } }, /must be a name without control characters/],
    [
      { columns: { a: 'number' }, watermark: { column: 'a', start: 'x' } },
      /watermark.start must be a value of a, of type number/,
    ],
    [
      { columns: { a: 'time' }, watermark: { column: 'a', start: '7 March' } },
      /watermark.start must be a value of a, of type time/,
    ],
    [{ unique: ['b'] }, /sources.s.unique.0 must be one of columns/],
    [{ day_column: 'a', url: 'https://e.com/' }, /is for a url with a day/],
    [{ to: '../raw' }, /must be a folder inside the project/],
    [{ to: '.git/hooks' }, /none that begins with a dot/],
    [{ to: 'node_modules/x' }, /must be a folder inside the project/],
    [{ to: 'data/collected' }, /must lie apart from records/],
    [{ to: 'data' }, /must lie apart from records/],
    [{ max_bytes: 2 ** 40 }, /max_bytes/],
    [{ rows: 'items' }, /must be a JSON pointer/],
    [{ start: '2026-02-30' }, /must be a day of the calendar/],
    [{ sql: 'x' }, /sql/],
  ])('with the source %j is refused', (rest, words) => {
    expect(parse(rest)).toMatch(words);
  });

  test('takes names of sources that are names of files, and time zones that there are', () => {
    expect(parse({})).toBe('');
    expect(parse({}, { timezone: 'Mars/Olympus' })).toMatch(/must be a time zone/);
    expect(parse({}, { sources: { '../x': { url: 'https://e.com', columns: { a: 'text' } } } })).toMatch(
      /must be a name of lower case/,
    );
  });
});

test('a time belongs to the day that it has where days begin, also when clocks are set', async () => {
  const timed = source({ columns: { at: 'time' }, day_column: 'at' });
  const times = (zone: string, ...rows: string[]): Promise<(string | undefined)[]> =>
    fitRows(
      timed,
      '2026-03-29',
      rows.map((at) => ({ at })),
      zone,
    ).then(({ rows: kept }) => kept.map(([at]) => String(at)));
  // The night in which summer time begins in Berlin: the day has 23 hours.
  const night = [
    '2026-03-28T22:59:59Z',
    '2026-03-28T23:00:00Z',
    '2026-03-29T21:59:59Z',
    '2026-03-29T22:00:00Z',
  ];
  expect(await times('Europe/Berlin', ...night)).toEqual([
    '2026-03-28T23:00:00.000Z',
    '2026-03-29T21:59:59.000Z',
  ]);
  expect(await times('UTC', ...night)).toEqual(['2026-03-29T21:59:59.000Z', '2026-03-29T22:00:00.000Z']);
  expect(await times('Asia/Kathmandu', '2026-03-28T18:14:59Z', '2026-03-28T18:15:00Z')).toEqual([
    '2026-03-28T18:15:00.000Z',
  ]);
});
