#!/usr/bin/env node
/**
 * Writes what the price service would tell, a file a day: data/raw/card-prices-2026-01-01.json and on, the bytes that `retrain collect`
 * writes of it. The same options give the same bytes. A day on which the service had nothing gets no file.
 *
 * node examples/card-prices/generate.mjs [--days 180] [--from 0] [--seed 151] [--start 2026-01-01] [--shift 90:level=1.3]…
 * [--out examples/card-prices/data/raw] [--if-missing]
 *
 * --shift makes a known drift from a day on, and may come several times: level (of all prices), promotions (how often there is
 * one) and volatility are factors. With --if-missing, a folder that holds files is left alone.
 */
import { existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createMarket, parseShift } from './market.mjs';

const here = dirname(fileURLToPath(import.meta.url));

function whole(name, text) {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 0) return value;
  throw new RangeError(`--${name} must be a whole number of at least 0, got ${text}`);
}

function main() {
  const { values } = parseArgs({
    options: {
      days: { type: 'string', default: '180' },
      from: { type: 'string', default: '0' },
      seed: { type: 'string', default: '151' },
      start: { type: 'string', default: '2026-01-01' },
      shift: { type: 'string', multiple: true, default: [] },
      out: { type: 'string', default: join(here, 'data', 'raw') },
      'if-missing': { type: 'boolean', default: false },
    },
  });
  const { out } = values;
  if (values['if-missing'] && existsSync(out) && readdirSync(out).length > 0) return;
  const days = whole('days', values.days);
  const market = createMarket({
    seed: whole('seed', values.seed),
    start: values.start,
    shifts: values.shift.map(parseShift),
  });
  mkdirSync(out, { recursive: true });
  let rows = 0;
  let files = 0;
  for (let day = whole('from', values.from); day < days; day++) {
    const told = market.rowsOf(day);
    if (told.length === 0) continue;
    const file = join(out, `card-prices-${market.dateOf(day)}.json`);
    // Whole or not at all: half a day would be taken for one.
    writeFileSync(`${file}.part`, `[\n${told.map((row) => JSON.stringify(row)).join(',\n')}\n]\n`);
    renameSync(`${file}.part`, file);
    rows += told.length;
    files++;
  }
  console.log(`${out}: ${rows} rows in ${files} files`);
}

try {
  main();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 2;
}
