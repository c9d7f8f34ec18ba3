import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LabelledMatrix } from '../../../ml/dataset/matrix';

export const IRIS_FEATURES = ['sepal_length', 'sepal_width', 'petal_length', 'petal_width'];
export const IRIS_CLASSES = ['setosa', 'versicolor', 'virginica'];

/** data/iris.csv as a table; `keep` chooses rows by their number. */
export function readIris(keep: (row: number) => boolean = () => true): LabelledMatrix {
  const text = readFileSync(join(__dirname, '../../../data/iris.csv'), 'utf8');
  const lines = text
    .trim()
    .split('\n')
    .slice(1)
    .filter((_, i) => keep(i));
  const cells = lines.map((line) => line.split(','));
  const values = new Float32Array(lines.length * IRIS_FEATURES.length);
  cells.forEach((row, i) => {
    for (let f = 0; f < IRIS_FEATURES.length; f++) values[f * lines.length + i] = Number(row[f]);
  });
  const labels = Uint32Array.from(cells, (row) => IRIS_CLASSES.indexOf(row.at(-1) ?? ''));
  return { values, rows: lines.length, features: IRIS_FEATURES.length, labels, classes: IRIS_CLASSES.length };
}
