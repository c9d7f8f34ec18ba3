import {
  add,
  addFloats,
  type Code,
  constant,
  EXPORT,
  get,
  IMPORT,
  isAtMost,
  isBelow,
  isZero,
  loadFloat,
  loadInt,
  moduleOf,
  or,
  repeatWhile,
  set,
  shiftLeft,
  storeFloat,
  subtract,
  xor,
} from './wasm-code';
import { type WasmMemory, type WasmModule, webAssembly } from './web-assembly';

/** Rows that go down a tree together: as many as the registers of a core hold. */
export const LANES = 8;

/** Bytes of a node: where the tested feature lies in a group, threshold, left child, and of a leaf its values; the last two as addresses. */
export const NODE_BYTES = 16;
const THRESHOLD = 4;
const LEFT = 8;
const VALUES = 12;

/** Bytes of one feature, or one raw score, of a group of rows. */
export const LANE_BYTES = 4 * LANES;

/** Largest memory of WebAssembly, in pages of 64 KiB. */
export const MOST_PAGES = 65_536;

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
 */
export type Walk = (
  root: number,
  block: number,
  groupBytes: number,
  blockEnd: number,
  raw: number,
  rawBytes: number,
  leafBytes: number,
) => void;

const [ROOT, BLOCK, GROUP_BYTES, BLOCK_END, RAW, RAW_BYTES, LEAF_BYTES] = [0, 1, 2, 3, 4, 5, 6];
const PARAMETERS = 7;
const [NEXT, MOVED, TO, END] = [7, 8, 9, 10];
const FIRST_PLACE = 11;

const lanes = Array.from({ length: LANES }, (_, lane) => lane);
const place = (lane: number): number => FIRST_PLACE + lane;
const each = (code: (lane: number) => Code): Code => lanes.flatMap(code);

/** One step of one row: to the left child, or to the right one, which lies behind it. */
function step(lane: number): Code {
  const at = get(place(lane));
  const value = loadFloat(add(get(BLOCK), loadInt(at)), 4 * lane);
  const right = isZero(isAtMost(value, loadFloat(at, THRESHOLD)));
  return [
    ...set(NEXT, add(loadInt(at, LEFT), shiftLeft(right, Math.log2(NODE_BYTES)))),
    ...set(MOVED, or(get(MOVED), xor(get(NEXT), at))),
    ...set(place(lane), get(NEXT)),
  ];
}

/** Adds one value of each row's leaf, and goes on to the next. */
const addValue = (lane: number): Code => [
  ...storeFloat(get(TO), addFloats(loadFloat(get(TO), 4 * lane), loadFloat(get(place(lane)))), 4 * lane),
  ...set(place(lane), add(get(place(lane)), constant(4))),
];

const body: Code = repeatWhile(
  [
    ...each((lane) => set(place(lane), get(ROOT))),
    ...repeatWhile([...set(MOVED, constant(0)), ...each(step)], get(MOVED)),
    ...each((lane) => set(place(lane), loadInt(get(place(lane)), VALUES))),
    ...set(TO, get(RAW)),
    ...set(END, add(get(place(0)), get(LEAF_BYTES))),
    ...repeatWhile(
      [...each(addValue), ...set(TO, add(get(TO), constant(LANE_BYTES)))],
      subtract(get(END), get(place(0))),
    ),
    ...set(RAW, add(get(RAW), get(RAW_BYTES))),
    ...set(BLOCK, add(get(BLOCK), get(GROUP_BYTES))),
  ],
  isBelow(get(BLOCK), get(BLOCK_END)),
);

/** The walk, to be put to work on one memory or several. */
export function walkModule(): WasmModule {
  return new webAssembly.Module(moduleOf(PARAMETERS, FIRST_PLACE + LANES - PARAMETERS, body, MOST_PAGES));
}

export function walkOn(module: WasmModule, memory: WasmMemory): Walk {
  const { exports } = new webAssembly.Instance(module, { [IMPORT]: { [IMPORT]: memory } });
  return exports[EXPORT] as Walk;
}
