import { listed, RetrainError } from '../../contracts/errors';
import { nearest } from '../../contracts/nearest';
import { FieldNames } from '../model/field-names';
import { type ModelField } from '../model/served-model';

/** Which column of a table each field of a model is. */
export interface ColumnMatch {
  /** In the order of the fields; null: the table has none, and the model does without. */
  fields: readonly { field: ModelField; column: string | null }[];
}

/**
 * Finds the columns that a model takes: by name, else by a name that differs in case, `-`, `_` and blanks only, or by an alias. A
 * table may have more.
 *
 * @param made where the columns that the model takes come from, for somebody who gives a table of before; empty: from the table
 * @throws RetrainError DATA_INVALID for a column that is not there, or there more than once
 */
export function matchColumns(
  names: readonly string[],
  fields: readonly ModelField[],
  file: string,
  aliases: Readonly<Record<string, string>> = {},
  made = '',
): ColumnMatch {
  const known = new FieldNames(fields, aliases);
  const found = fields.map((): string[] => []);
  for (const name of names) found[known.indexOf(name)]?.push(name);
  return {
    fields: fields.map((field, f) => {
      const candidates = found[f] ?? [];
      const column = candidates.find((name) => name === field.name) ?? candidates[0];
      if (column !== undefined && column !== field.name && candidates.length > 1) {
        throw new RetrainError(
          'DATA_INVALID',
          `${file}: has ${listed(candidates)}, which could each be ${field.name}; call one of them so`,
        );
      }
      if (column === undefined && !field.optional) throw lacking(field, names, file, made);
      return { field, column: column ?? null };
    }),
  };
}

function lacking({ name }: ModelField, names: readonly string[], file: string, made: string): RetrainError {
  const near = nearest(name, names);
  const alike =
    near === undefined ? '' : `; is it "${near}"? Then rename it, or say so by the alias ${near}=${name}`;
  const meant = made === '' ? alike : `; ${made}`;
  return new RetrainError(
    'DATA_INVALID',
    `${file}: there is no column "${name}", which the model takes; the columns are ${listed(names, 20)}${meant}`,
  );
}
