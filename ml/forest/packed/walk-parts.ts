import {
  add,
  addFloats,
  type Code,
  constant,
  get,
  loadFloat,
  set,
  storeFloat,
  subtract,
  repeatWhile,
} from './wasm-code';

/** Rows that go down a tree together: as many as the registers of a core hold. */
export const LANES = 8;

/** Bytes of one feature, or one raw score, of a group of rows. */
export const LANE_BYTES = 4 * LANES;

/** Largest memory of WebAssembly, in pages of 64 KiB. */
export const MOST_PAGES = 65_536;

/** Places of what both walks are called with, among the locals: see `Walk`. */
export const [ROOT, BLOCK, GROUP_BYTES, BLOCK_END, RAW, RAW_BYTES, LEAF_BYTES, LEVELS] = [
  0, 1, 2, 3, 4, 5, 6, 7,
];
export const PARAMETERS = 8;

/**
 * Walks groups of rows down one tree, and adds the leaves that they fall into to their raw scores.
 *
 * @param root address of the tree
 * @param block address of the first group: its features one after the other, of each the numbers of all rows
 * @param groupBytes from one group to the next
 * @param blockEnd address behind the last group
 * @param raw address of the first group's scores, from the tree's output on: as the features lie
 * @param rawBytes from one group's scores to the next
 * @param leafBytes of the values of a leaf
 * @param levels of a complete tree
 */
export type Walk = (
  root: number,
  block: number,
  groupBytes: number,
  blockEnd: number,
  raw: number,
  rawBytes: number,
  leafBytes: number,
  levels: number,
) => void;

const lanes = Array.from({ length: LANES }, (_, lane) => lane);

/** Code for each row of a group, one after the other. */
export const each = (code: (lane: number) => Code): Code => lanes.flatMap(code);

/**
 * Adds the values of each row's leaf to its raw scores.
 *
 * @param place the local that holds the address of a row's values
 * @param to, end two locals for it to work with
 */
export function addLeaves(place: (lane: number) => number, to: number, end: number): Code {
  const addValue = (lane: number): Code => [
    ...storeFloat(get(to), addFloats(loadFloat(get(to), 4 * lane), loadFloat(get(place(lane)))), 4 * lane),
    ...set(place(lane), add(get(place(lane)), constant(4))),
  ];
  return [
    ...set(to, get(RAW)),
    ...set(end, add(get(place(0)), get(LEAF_BYTES))),
    ...repeatWhile(
      [...each(addValue), ...set(to, add(get(to), constant(LANE_BYTES)))],
      subtract(get(end), get(place(0))),
    ),
  ];
}
