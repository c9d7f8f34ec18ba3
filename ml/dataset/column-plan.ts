import { listed, RetrainError } from '../../contracts/errors';
import { nearest } from '../../contracts/nearest';
import { MODEL_OUTPUT } from '../../contracts/stage';
import { UNNAMED_INDEX } from './header-line';

/** The columns that params.yaml names. `drop` and the keys of `rename` are names in the file, the others new names. */
export interface ColumnChoice {
  target: string;
  drop: readonly string[];
  /** Old name to new. */
  rename: Readonly<Record<string, string>>;
  /** Whether the target is a number; absent: a class. */
  regression?: boolean;
  /** Text columns that are features. */
  encode?: readonly string[];
  /** Read every column as text: to see what it looks like. */
  everythingText?: boolean;
  /** Columns that order or group the rows, and are no features. */
  groupBy?: string | undefined;
  timeBy?: string | undefined;
  /** Further columns that checks look at, dropped ones too, by the key of params.yaml that names them. */
  checked?: readonly { key: string; name: string; kind: 'number' | 'text' }[];
}

export type ColumnRole = 'feature' | 'target' | 'extra';

/** A column to read. */
export interface PlannedColumn {
  /** Where it stands in the file, from 0. */
  position: number;
  /** New name. */
  name: string;
  kind: 'number' | 'text';
  role: ColumnRole;
}

/** What to read. */
export interface ColumnPlan {
  /** Names in the file. */
  header: string[];
  columns: PlannedColumn[];
}

/** Names of the columns of one role, in the file's order. */
export function namesOf(plan: ColumnPlan, role: ColumnRole): string[] {
  return plan.columns.filter((column) => column.role === role).map(({ name }) => name);
}

/**
 * Finds in the header what params.yaml names: the target, and the features, which are all other columns but the
 * dropped ones and those that group or order the rows.
 *
 * @param index Columns that are a row index, as the file says; a feature only if params.yaml says so.
 * @throws RetrainError DATA_INVALID that lists the columns and suggests the nearest name.
 */
export function planColumns(
  header: readonly string[],
  file: string,
  choice: ColumnChoice,
  index: readonly string[] = [],
): ColumnPlan {
  const where = `${file}:1`;
  for (const old of Object.keys(choice.rename)) positionOf(header, where, 'preprocess.rename', old);
  for (const name of choice.drop) positionOf(header, where, 'preprocess.drop', name);
  const names = header.map((name) =>
    Object.hasOwn(choice.rename, name) ? (choice.rename[name] ?? name) : name,
  );
  const clash = names.find((name, at) => names.indexOf(name) !== at);
  if (clash !== undefined) {
    throw new RetrainError(
      'DATA_INVALID',
      `${where}: preprocess.rename makes two columns called "${clash}"; names must differ`,
    );
  }
  const find = (key: string, name: string): number => {
    const at = names.indexOf(name);
    return at === -1 ? positionOf(header, where, key, name) : at;
  };
  const target = find('data.target', choice.target);
  const dropped = (at: number): boolean => choice.drop.includes(header[at] ?? '');
  if (dropped(target)) {
    throw new RetrainError(
      'DATA_INVALID',
      `${where}: preprocess.drop holds the target "${choice.target}", which training needs`,
    );
  }
  const encoded = new Set((choice.encode ?? []).map((name) => find('preprocess.encode', name)));
  const extras = new Map<number, 'number' | 'text'>();
  for (const { key, name, kind } of choice.checked ?? []) {
    const at = find(key, name);
    if (kind === 'text' || !extras.has(at)) extras.set(at, kind);
  }
  const aside = new Set<number>();
  if (choice.groupBy !== undefined) aside.add(find('preprocess.group_by', choice.groupBy));
  if (choice.timeBy !== undefined) aside.add(find('preprocess.time_by', choice.timeBy));
  for (const at of aside) extras.set(at, 'text');

  const all = choice.everythingText === true;
  const columns = header.flatMap((inFile, position): PlannedColumn[] => {
    const name = names[position] ?? '';
    if (position === target) {
      return [
        { position, name, kind: choice.regression === true && !all ? 'number' : 'text', role: 'target' },
      ];
    }
    if (!dropped(position) && !aside.has(position)) {
      if (name === UNNAMED_INDEX && inFile === UNNAMED_INDEX) throw unnamed(where);
      if (index.includes(inFile) && !encoded.has(position) && !Object.hasOwn(choice.rename, inFile)) {
        throw rowIndex(where, inFile);
      }
      if (Object.hasOwn(MODEL_OUTPUT, name)) throw outputName(where, position, name);
      return [{ position, name, kind: all || encoded.has(position) ? 'text' : 'number', role: 'feature' }];
    }
    const kind = extras.get(position);
    return kind === undefined ? [] : [{ position, name, kind, role: 'extra' }];
  });
  if (!columns.some(({ role }) => role === 'feature')) {
    throw new RetrainError(
      'DATA_INVALID',
      `${where}: no feature is left besides the target "${choice.target}"; the columns are ${listed(header, 20)}`,
    );
  }
  return { header: [...header], columns };
}

function unnamed(where: string): RetrainError {
  return new RetrainError(
    'DATA_INVALID',
    `${where}: column 1 has no name, so it may be a row index; drop it (preprocess.drop: [${UNNAMED_INDEX}]) or name it (preprocess.rename)`,
  );
}

function rowIndex(where: string, name: string): RetrainError {
  return new RetrainError(
    'DATA_INVALID',
    `${where}: column "${name}" is the row index that pandas wrote; drop it (preprocess.drop: [${name}]), or, if it is a feature, say so (preprocess.rename: { ${name}: … })`,
  );
}

/** The inputs of an ONNX graph are named as the columns, and must not be named as its outputs. */
function outputName(where: string, position: number, name: string): RetrainError {
  return new RetrainError(
    'DATA_INVALID',
    `${where}: column ${position + 1} is called "${name}", as an output of the model is; drop it (preprocess.drop), if it is what another model said, or name it otherwise (preprocess.rename: { ${name}: … })`,
  );
}

function positionOf(header: readonly string[], where: string, key: string, name: string): number {
  const at = header.indexOf(name);
  if (at !== -1) return at;
  const guess = nearest(name, header);
  const separator =
    header.length === 1 ? ['\t', ';', '|'].find((mark) => (header[0] ?? '').includes(mark)) : undefined;
  const hint =
    separator !== undefined
      ? `; its cells are separated by ${JSON.stringify(separator)}: say so (data.csv: { separator: ${JSON.stringify(separator)} })`
      : guess !== undefined
        ? `; did you mean "${guess}"?`
        : '';
  throw new RetrainError(
    'DATA_INVALID',
    `${where}: there is no column "${name}", which ${key} names; the columns are ${listed(header, 20)}${hint}`,
  );
}
