import {
  add,
  type Code,
  constant,
  get,
  isAtMost,
  isBelow,
  isZero,
  loadFloat,
  loadInt,
  moduleOf,
  repeatWhile,
  set,
  shiftLeft,
  subtract,
} from './wasm-code';
import {
  addLeaves,
  BLOCK,
  BLOCK_END,
  each,
  GROUP_BYTES,
  LANES,
  LEVELS,
  MOST_PAGES,
  PARAMETERS,
  RAW,
  RAW_BYTES,
  ROOT,
} from './walk-parts';
import { type WasmModule, webAssembly } from './web-assembly';

/**
 * Bytes of a node of a complete tree: where the tested feature lies in a group, and the threshold; in the last row, the address of a leaf's
 * values. The children of the node at the address root + 8 i are at root + 8 · 2 i, and behind it.
 */
export const COMPLETE_NODE_BYTES = 8;
const THRESHOLD = 4;
const SHIFT = Math.log2(COMPLETE_NODE_BYTES);

const [TO, END, LEFT, BACK] = [PARAMETERS, PARAMETERS + 1, PARAMETERS + 2, PARAMETERS + 3];
const FIRST_PLACE = PARAMETERS + 4;
const place = (lane: number): number => FIRST_PLACE + lane;

/** One step of one row: the way down is worked out, not read. */
function step(lane: number): Code {
  const at = get(place(lane));
  const value = loadFloat(add(get(BLOCK), loadInt(at)), 4 * lane);
  const right = isZero(isAtMost(value, loadFloat(at, THRESHOLD)));
  return set(place(lane), add(add(shiftLeft(at, 1), get(BACK)), shiftLeft(right, SHIFT)));
}

const body: Code = [
  ...set(BACK, subtract(constant(0), get(ROOT))),
  ...repeatWhile(
    [
      ...each((lane) => set(place(lane), add(get(ROOT), constant(COMPLETE_NODE_BYTES)))),
      ...set(LEFT, get(LEVELS)),
      ...repeatWhile([...each(step), ...set(LEFT, subtract(get(LEFT), constant(1)))], get(LEFT)),
      ...each((lane) => set(place(lane), loadInt(get(place(lane))))),
      ...addLeaves(place, TO, END),
      ...set(RAW, add(get(RAW), get(RAW_BYTES))),
      ...set(BLOCK, add(get(BLOCK), get(GROUP_BYTES))),
    ],
    isBelow(get(BLOCK), get(BLOCK_END)),
  ),
];

/** The walk through complete trees of one level or more, to be put to work on one memory or several. */
export function completeWalkModule(): WasmModule {
  return new webAssembly.Module(moduleOf(PARAMETERS, FIRST_PLACE + LANES - PARAMETERS, body, MOST_PAGES));
}
