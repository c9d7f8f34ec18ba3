import { nearest } from '../../contracts/nearest';
import { RetrainError } from '../../contracts/errors';
import { type ModelField } from './served-model';

/** Names as callers wrote them are remembered up to here: strangers may write any. */
const MOST_REMEMBERED = 1000;

/** Longer names are nobody's slip of the pen. */
const LONGEST_COMPARED = 100;

/** Finds the field that a name means. */
export class FieldNames {
  private readonly exact = new Map<string, number>();
  /** Without case, `-`, `_` and blanks; -1 where several fields would have it. */
  private readonly loose = new Map<string, number>();
  private readonly remembered = new Map<string, number>();

  /**
   * @param aliases column by the name that callers use for it
   * @throws RetrainError CONFIG_INVALID for an alias of no field, or one that is a field itself
   */
  constructor(
    readonly fields: readonly ModelField[],
    aliases: Readonly<Record<string, string>> = {},
  ) {
    for (const [index, { name }] of fields.entries()) this.exact.set(name, index);
    for (const [index, { name }] of fields.entries()) this.addLoose(name, index);
    for (const [alias, column] of Object.entries(aliases)) {
      const index = this.exact.get(column);
      if (index === undefined) throw aliasError(alias, `the model has no column ${column}`, column, fields);
      const taken = this.exact.get(alias);
      if (taken !== undefined && taken !== index) {
        throw aliasError(alias, 'that is another column of the model', alias, []);
      }
      this.exact.set(alias, index);
      this.addLoose(alias, index);
    }
  }

  /** The place of the field; -1 where the name means none, or more than one. */
  indexOf(name: string): number {
    const known = this.exact.get(name) ?? this.remembered.get(name);
    if (known !== undefined) return known;
    if (name.length > LONGEST_COMPARED) return -1;
    const found = this.loose.get(folded(name)) ?? -1;
    if (found >= 0 && this.remembered.size < MOST_REMEMBERED) this.remembered.set(name, found);
    return found;
  }

  /** The field that the name nearly is. */
  nearest(name: string): string | undefined {
    if (name.length > LONGEST_COMPARED) return undefined;
    const names = this.fields.map((field) => field.name);
    const alike = folded(name);
    return nearest(name, names) ?? names.find((one) => folded(one) === alike);
  }

  private addLoose(name: string, index: number): void {
    const key = folded(name);
    const other = this.loose.get(key);
    this.loose.set(key, other === undefined || other === index ? index : -1);
  }
}

const folded = (name: string): string => name.toLowerCase().replace(/[-_\s]+/g, '');

function aliasError(
  alias: string,
  problem: string,
  word: string,
  fields: readonly ModelField[],
): RetrainError {
  const near = nearest(
    word,
    fields.map(({ name }) => name),
  );
  const meant = near === undefined ? '' : `; did you mean ${near}?`;
  return new RetrainError('CONFIG_INVALID', `the alias ${alias}: ${problem}${meant}`);
}
