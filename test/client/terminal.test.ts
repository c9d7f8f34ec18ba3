import { size } from '../../client/terminal/size';
import { transferLine, transferText } from '../../client/terminal/transfer-line';

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1.0 kB'],
  [9_949, '9.9 kB'],
  [9_960, '10 kB'],
  [999_499, '999 kB'],
  [999_500, '1.0 MB'],
  [2_147_483_648, '2.1 GB'],
  [5e15, '5000 TB'],
])('%d bytes are shown as %s', (bytes, text) => {
  expect(size(bytes)).toBe(text);
});

const PROGRESS = { doneObjects: 3, totalObjects: 40, doneBytes: 3_200_000, totalBytes: 10_000_000 };

test('a transfer says objects, bytes and rate', () => {
  expect(transferText(PROGRESS, 2000)).toBe('3/40 objects  3.2 MB of 10 MB  1.6 MB/s');
});

test('on a terminal the line is drawn over itself; elsewhere there is a line every 15 s', () => {
  let now = 0;
  for (const live of [true, false]) {
    const printed: string[] = [];
    const line = transferLine(
      {
        live,
        out: () => {},
        err: (text) => printed.push(text),
        draw: (lines) => printed.push(lines.join('')),
      },
      'pushing',
      () => now,
    );
    for (const ms of [1000, 10_000, 16_000, 20_000]) {
      now = ms;
      line.show(PROGRESS);
    }
    now = 0;
    expect(printed).toHaveLength(live ? 4 : 1);
    expect(printed[0]).toContain(live ? '━' : 'pushing: 3/40 objects');
  }
});
