import type { FeatureMatrix } from '../../ml/dataset/matrix';

/** Rows of a column-major table, one after the other, as ONNX takes them. */
export function rowMajor(table: FeatureMatrix): Float32Array {
  const rows = new Float32Array(table.rows * table.features);
  for (let i = 0; i < table.rows; i++) {
    for (let f = 0; f < table.features; f++)
      rows[i * table.features + f] = table.values[f * table.rows + i] ?? NaN;
  }
  return rows;
}

/** A column-major table of the given rows. */
export function tableOf(rows: readonly (readonly number[])[], features: number): FeatureMatrix {
  const values = new Float32Array(rows.length * features);
  rows.forEach((row, i) => {
    for (let f = 0; f < features; f++) values[f * rows.length + i] = row[f] ?? NaN;
  });
  return { values, rows: rows.length, features };
}
