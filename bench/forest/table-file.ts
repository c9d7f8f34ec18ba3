import { readFileSync, writeFileSync } from 'node:fs';
import type { LabelledMatrix } from '../../ml/dataset/matrix';
import { creditTable, FEATURES, splitRows } from './credit-table';

/**
 * Writes a credit table for this benchmark and its peers: uint32 rows; then, for the training rows and for the held-out
 * ones (every fifth), the features column by column, float32, and the labels, uint32. Little-endian.
 */
export function writeTableFile(path: string, rows: number): void {
  const { train, held } = splitRows(creditTable(rows, 7));
  const bytes = (array: Float32Array | Uint32Array): Buffer =>
    Buffer.from(array.buffer, array.byteOffset, array.byteLength);
  writeFileSync(
    path,
    Buffer.concat([
      bytes(Uint32Array.of(train.rows, held.rows)),
      ...[train, held].flatMap((part) => [bytes(part.values), bytes(part.labels)]),
    ]),
  );
}

export function readTableFile(path: string): { train: LabelledMatrix; held: LabelledMatrix } {
  const file = readFileSync(path);
  let at = 8;
  const part = (rows: number): LabelledMatrix => {
    const values = new Float32Array(new SharedArrayBuffer(rows * FEATURES * 4));
    new Uint8Array(values.buffer).set(file.subarray(at, at + values.byteLength));
    at += values.byteLength;
    const labels = new Uint32Array(file.buffer.slice(file.byteOffset + at, file.byteOffset + at + rows * 4));
    at += rows * 4;
    return { values, rows, features: FEATURES, labels, classes: 2 };
  };
  return { train: part(file.readUInt32LE(0)), held: part(file.readUInt32LE(4)) };
}
