import { DuckDBInstance } from '@duckdb/node-api';
import path from 'node:path';

/** What the model is asked on a day, a row per card, and what turned out to be true of the day before. */
export interface CardDay {
  /** Card, and the model's columns. */
  rows: { card: string; features: Record<string, number | string | null> }[];
  /** Price of the day, by card: what was to be predicted the day before. */
  prices: Map<string, number>;
}

/**
 * The features of a day, by the project's own SQL over the files that are there by then: whatever a later file holds, it is not read.
 *
 * @param sql preprocess.sql
 * @param leftOut columns that are no features
 */
export async function featuresOf(
  project: string,
  day: string,
  sql: string,
  leftOut: readonly string[],
): Promise<CardDay> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  try {
    const files = path.join(project, 'data', 'raw', 'card-prices-*.parquet').replaceAll("'", "''");
    await connection.run(
      `create view data as select * from read_parquet('${files}') where cast(date as date) <= date '${day}' and cast(date as date) > date '${day}' - 40`,
    );
    const found = await connection.runAndReadAll(
      `select * from (${sql}) where day = date '${day}' order by card_id`,
    );
    const rows = found.getRowObjectsJson().map((row) => ({
      card: `${cell(row['card_id'])}`,
      features: Object.fromEntries(
        Object.entries(row).flatMap(([name, value]) => (leftOut.includes(name) ? [] : [[name, cell(value)]])),
      ),
    }));
    return { rows, prices: new Map(rows.map(({ card, features }) => [card, Number(features['price'])])) };
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** 64-bit integers come as texts. */
function cell(value: unknown): number | string | null {
  if (typeof value === 'string') return /^-?\d+$/.test(value) ? Number(value) : value;
  return typeof value === 'number' ? value : null;
}
