import { NumberBuilder, TextBuilder } from '../../../ml/dataset/column-builder';
import { type RawTable } from '../../../ml/dataset/raw-table';

export type Cell = number | string | null;

/** A table out of plain lists; a list with a text in it is a text column. */
export function tableOf(columns: Record<string, Cell[]>): RawTable {
  const rows = Object.values(columns)[0]?.length ?? 0;
  return {
    file: 'd.csv',
    rows,
    columns: Object.entries(columns).map(([name, cells]) => {
      if (cells.some((cell) => typeof cell === 'string')) {
        const builder = new TextBuilder(name);
        for (const cell of cells) builder.push(cell === null ? undefined : String(cell));
        return builder.finish();
      }
      const builder = new NumberBuilder(name);
      for (const cell of cells) builder.push(cell === null ? Number.NaN : Number(cell));
      return builder.finish();
    }),
  };
}
