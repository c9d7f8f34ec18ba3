import {
  add,
  addFours,
  areAtMost,
  choose,
  type Code,
  constant,
  fourTimes,
  get,
  isAtMost,
  isBelow,
  isZero,
  loadFloat,
  loadFour,
  loadInt,
  loadOneFourTimes,
  moduleOf,
  oneOfFour,
  repeatWhile,
  set,
  shiftFoursLeft,
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

/** Levels on top that are walked by comparing all of their nodes, with four rows at a time; there is at least one level below. */
const TOP_LEVELS = 3;
export const LEAST_LEVELS = TOP_LEVELS + 1;

const [TO, END, LEFT, BACK] = [PARAMETERS, PARAMETERS + 1, PARAMETERS + 2, PARAMETERS + 3];
const FIRST_PLACE = PARAMETERS + 4;
const place = (lane: number): number => FIRST_PLACE + lane;

const FIRST_FOUR = FIRST_PLACE + LANES;
const HALVES = LANES / 4;
const TOP_NODES = 2 ** TOP_LEVELS - 1;
/** The last place of the level below the top. */
const LAST_PLACE = 2 ** (TOP_LEVELS + 1) - 1;
/** The local with what comes of a node on top, for four of the rows. */
const said = (node: number, half: number): number => FIRST_FOUR + half * TOP_NODES + node - 1;

/** Holds a node on top against all rows. */
function compare(node: number): Code {
  const at = COMPLETE_NODE_BYTES * node;
  return [
    ...set(TO, add(get(BLOCK), loadInt(get(ROOT), at))),
    ...halves((half) =>
      set(
        said(node, half),
        areAtMost(loadFour(get(TO), 16 * half), loadOneFourTimes(get(ROOT), at + THRESHOLD)),
      ),
    ),
  ];
}

const halves = (code: (half: number) => Code): Code =>
  Array.from({ length: HALVES }, (_, half) => half).flatMap(code);

/** What the node says that a row is at on the level `left` below `node`: −1, it goes left; 0, right. */
function saidBelow(node: number, left: number, half: number): Code {
  if (left === 0) return get(said(node, half));
  const which = get(said(node, half));
  return choose(which, saidBelow(2 * node, left - 1, half), saidBelow(2 * node + 1, left - 1, half));
}

/** The places of four rows below the top: the last of that level, less what a row went left. */
function placesBelow(half: number): Code {
  let way: Code = saidBelow(1, 0, half);
  for (let level = 1; level < TOP_LEVELS; level++) {
    way = addFours(shiftFoursLeft(way, 1), saidBelow(1, level, half));
  }
  const first = said(1, half);
  return [
    ...set(first, addFours(fourTimes(get(END)), shiftFoursLeft(way, SHIFT))),
    ...Array.from({ length: 4 }, (_, lane) =>
      set(place(4 * half + lane), oneOfFour(get(first), lane)),
    ).flat(),
  ];
}

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
      ...Array.from({ length: TOP_NODES }, (_, n) => compare(n + 1)).flat(),
      ...set(END, add(get(ROOT), shiftLeft(constant(LAST_PLACE), SHIFT))),
      ...halves(placesBelow),
      ...set(LEFT, subtract(get(LEVELS), constant(TOP_LEVELS))),
      ...repeatWhile([...each(step), ...set(LEFT, subtract(get(LEFT), constant(1)))], get(LEFT)),
      ...each((lane) => set(place(lane), loadInt(get(place(lane))))),
      ...addLeaves(place, TO, END),
      ...set(RAW, add(get(RAW), get(RAW_BYTES))),
      ...set(BLOCK, add(get(BLOCK), get(GROUP_BYTES))),
    ],
    isBelow(get(BLOCK), get(BLOCK_END)),
  ),
];

/** The walk through complete trees of `LEAST_LEVELS` levels or more, to be put to work on one memory or several. */
export function completeWalkModule(): WasmModule {
  const locals = { integers: FIRST_PLACE + LANES - PARAMETERS, fours: HALVES * TOP_NODES };
  return new webAssembly.Module(moduleOf(PARAMETERS, locals, body, MOST_PAGES));
}
