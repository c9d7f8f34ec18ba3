import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PreprocessParams } from '../../../contracts/params';
import { chooseRows } from '../../../ml/dataset/choose-rows';
import { NumberBuilder } from '../../../ml/dataset/column-builder';
import { type RawTable, takeRows } from '../../../ml/dataset/raw-table';
import { nameRows } from '../../../ml/dataset/row-names';
import { type Split } from '../../../ml/dataset/split';

const ROWS = 40_000;

/** The example's table without its index: the target first, then ten features. */
function creditTable(): RawTable {
  const dir = mkdtempSync(path.join(tmpdir(), 'credit-'));
  try {
    const file = path.join(dir, 'credit.csv');
    const generate = path.join(__dirname, '../../../examples/credit-risk/generate.mjs');
    execFileSync(process.execPath, [generate, '--rows', String(ROWS), '--seed', '7', '--out', file]);
    const [header = [], ...lines] = readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.split(',').slice(1));
    const builders = header.map((name) => new NumberBuilder(name, ROWS));
    // NA is no number: missing.
    for (const cells of lines) {
      for (const [f, builder] of builders.entries()) builder.push(Number(cells[f]));
    }
    return { file: 'credit.csv', rows: ROWS, columns: builders.map((builder) => builder.finish()) };
  } finally {
    rmSync(dir, { recursive: true });
  }
}

describe('credit rows', () => {
  const whole = creditTable();
  const split = (rows: number): Split => {
    const table = takeRows(
      whole,
      Uint32Array.from({ length: rows }, (_, row) => row),
    );
    const [target] = table.columns;
    const labels = target?.kind === 'number' ? Uint32Array.from(target.values) : null;
    const names = nameRows(table.columns, rows);
    return chooseRows(table, { names, labels, classes: ['0', '1'] }, PreprocessParams.parse({}));
  };

  it.each([
    [10_000, 10_100],
    [10_000, 20_000],
    [20_000, 21_000],
    [20_000, 40_000],
  ])('of which %d are trained on stay there to 99 %% when there are %d', (before, after) => {
    const { train } = split(before);
    const held = new Set(split(after).test);
    const stay = train.filter((row) => !held.has(row)).length;
    expect(stay / train.length).toBeGreaterThanOrEqual(0.99);
    expect(train.length - stay).toBeLessThanOrEqual(2 * Math.sqrt(before));
  });
});
