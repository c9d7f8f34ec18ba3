import { type Params } from '../../contracts/params';
import { type ColumnChoice } from './column-plan';

/** The part of params.yaml that says what is read. */
export type TableParams = Pick<Params, 'data' | 'preprocess' | 'task'> & Partial<Pick<Params, 'expect'>>;

/** Every column that params.yaml names, by the key that names it. */
export function columnChoice({ data, preprocess, task, expect = {} }: TableParams): ColumnChoice {
  const { rows_min: _, rows_max: __, leakage: ___, unique = [], ...columns } = expect;
  const { deduplicate, clip } = preprocess;
  return {
    target: data.target,
    drop: preprocess.drop,
    rename: preprocess.rename,
    regression: task === 'regression',
    encode: Object.keys(preprocess.encode),
    groupBy: preprocess.group_by,
    timeBy: preprocess.time_by,
    checked: [
      ...unique.map((name) => ({ key: 'expect.unique', name, kind: 'text' as const })),
      ...Object.entries(columns).map(([name, { min, max }]) => ({
        key: 'expect',
        name,
        kind: min === undefined && max === undefined ? ('text' as const) : ('number' as const),
      })),
      ...(Array.isArray(deduplicate) ? deduplicate : []).map((name) => ({
        key: 'preprocess.deduplicate',
        name,
        kind: 'text' as const,
      })),
      ...(preprocess.row_id ?? []).map((name) => ({
        key: 'preprocess.row_id',
        name,
        kind: 'text' as const,
      })),
      ...Object.keys(clip).map((name) => ({ key: 'preprocess.clip', name, kind: 'number' as const })),
    ],
  };
}
