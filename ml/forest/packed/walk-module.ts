import {
  add,
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
  xor,
} from './wasm-code';
import {
  addLeaves,
  BLOCK,
  BLOCK_END,
  each,
  GROUP_BYTES,
  LANES,
  MOST_PAGES,
  PARAMETERS,
  RAW,
  RAW_BYTES,
  ROOT,
  type Walk,
} from './walk-parts';
import { type WasmMemory, type WasmModule, webAssembly } from './web-assembly';

/** Bytes of a node: where the tested feature lies in a group, threshold, left child, and of a leaf its values; the last two as addresses. */
export const NODE_BYTES = 16;
const THRESHOLD = 4;
const LEFT = 8;
const VALUES = 12;

const [NEXT, MOVED, TO, END] = [PARAMETERS, PARAMETERS + 1, PARAMETERS + 2, PARAMETERS + 3];
const FIRST_PLACE = PARAMETERS + 4;
const place = (lane: number): number => FIRST_PLACE + lane;

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

const body: Code = repeatWhile(
  [
    ...each((lane) => set(place(lane), get(ROOT))),
    ...repeatWhile([...set(MOVED, constant(0)), ...each(step)], get(MOVED)),
    ...each((lane) => set(place(lane), loadInt(get(place(lane)), VALUES))),
    ...addLeaves(place, TO, END),
    ...set(RAW, add(get(RAW), get(RAW_BYTES))),
    ...set(BLOCK, add(get(BLOCK), get(GROUP_BYTES))),
  ],
  isBelow(get(BLOCK), get(BLOCK_END)),
);

/** The walk, to be put to work on one memory or several. */
export function walkModule(): WasmModule {
  return new webAssembly.Module(
    moduleOf(PARAMETERS, { integers: FIRST_PLACE + LANES - PARAMETERS, fours: 0 }, body, MOST_PAGES),
  );
}

export function walkOn(module: WasmModule, memory: WasmMemory): Walk {
  const { exports } = new webAssembly.Instance(module, { [IMPORT]: { [IMPORT]: memory } });
  return exports[EXPORT] as Walk;
}
