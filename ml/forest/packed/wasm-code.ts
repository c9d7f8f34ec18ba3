/**
 * The few words of WebAssembly that the walk through a tree is written in, as bytes.
 *
 * Format: https://webassembly.github.io/spec/core/binary/
 */
export type Code = readonly number[];

/** What words about four numbers begin with. */
const SIMD = [0xfd];

/** An unsigned number, seven bits a byte. */
export function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value >>> 0;
  do {
    const more = rest > 0x7f;
    bytes.push((rest & 0x7f) | (more ? 0x80 : 0));
    rest >>>= 7;
  } while (rest > 0);
  return bytes;
}

/** A small constant: its sign is the seventh bit of the only byte. @throws RangeError outside 0 … 63 */
export function constant(value: number): Code {
  if (value < 0 || value > 63) throw new RangeError(`${value} does not fit in six bits`);
  return [0x41, value];
}

export const get = (local: number): Code => [0x20, ...unsigned(local)];
export const set = (local: number, value: Code): Code => [...value, 0x21, ...unsigned(local)];

/** Reads and writes of 32 bits, at an address plus a constant. */
export const loadInt = (address: Code, offset = 0): Code => [...address, 0x28, 2, ...unsigned(offset)];
export const loadFloat = (address: Code, offset = 0): Code => [...address, 0x2a, 2, ...unsigned(offset)];
export const storeFloat = (address: Code, value: Code, offset = 0): Code => [
  ...address,
  ...value,
  ...[0x38, 2, ...unsigned(offset)],
];

export const add = (a: Code, b: Code): Code => [...a, ...b, 0x6a];
export const subtract = (a: Code, b: Code): Code => [...a, ...b, 0x6b];
export const or = (a: Code, b: Code): Code => [...a, ...b, 0x72];
export const xor = (a: Code, b: Code): Code => [...a, ...b, 0x73];
export const shiftLeft = (a: Code, bits: number): Code => [...a, ...constant(bits), 0x74];
/** 1: it is zero; 0: it is not. */
export const isZero = (a: Code): Code => [...a, 0x45];
export const isBelow = (a: Code, b: Code): Code => [...a, ...b, 0x49];
export const addFloats = (a: Code, b: Code): Code => [...a, ...b, 0x92];
/** 1: a ≤ b; 0: it is greater, or one is NaN. */
export const isAtMost = (a: Code, b: Code): Code => [...a, ...b, 0x5f];

/** Four numbers of 32 bits side by side: read from an address plus a constant, or one number four times. */
export const loadFour = (address: Code, offset = 0): Code => [
  ...address,
  ...SIMD,
  0x00,
  2,
  ...unsigned(offset),
];
export const loadOneFourTimes = (address: Code, offset = 0): Code => [
  ...address,
  ...SIMD,
  ...[0x09, 2, ...unsigned(offset)],
];
export const fourTimes = (a: Code): Code => [...a, ...SIMD, 0x11];
/** Of each of four: all bits set where a ≤ b, which is −1; 0 where it is greater, or one is NaN. */
export const areAtMost = (a: Code, b: Code): Code => [...a, ...b, ...SIMD, 0x45];
/** The bits of a where those of `which` are set, else those of b. */
export const choose = (which: Code, a: Code, b: Code): Code => [...a, ...b, ...which, ...SIMD, 0x52];
export const addFours = (a: Code, b: Code): Code => [...a, ...b, ...SIMD, 0xae, 0x01];
export const shiftFoursLeft = (a: Code, bits: number): Code => [...a, ...constant(bits), ...SIMD, 0xab, 0x01];
export const oneOfFour = (a: Code, which: number): Code => [...a, ...SIMD, 0x1b, which];

/** Does the body, and again while the condition is not zero. */
export const repeatWhile = (body: Code, condition: Code): Code => [
  ...[0x03, 0x40],
  ...body,
  ...condition,
  ...[0x0d, 0, 0x0b],
];

/** Name of the imported memory's module and field, and of the exported function. */
export const IMPORT = 'm';
export const EXPORT = 'f';

/**
 * A module with one function of integers, without a result, on shared memory that is given to it.
 *
 * @param locals beside the parameters, zero at first: integers, and behind them fours
 */
export function moduleOf(
  parameters: number,
  locals: { integers: number; fours: number },
  body: Code,
  mostPages: number,
): Uint8Array {
  const name = (text: string): number[] => [text.length, ...Buffer.from(text)];
  const section = (id: number, content: Code): number[] => [id, ...unsigned(content.length), ...content];
  const type = [0x60, ...unsigned(parameters), ...new Array<number>(parameters).fill(INT), 0];
  const memory = [...name(IMPORT), ...name(IMPORT), 0x02, 0x03, 1, ...unsigned(mostPages)];
  const own = [...unsigned(locals.integers), INT, ...unsigned(locals.fours), FOUR];
  const code = [2, ...own, ...body, 0x0b];
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, ...type]),
    ...section(2, [1, ...memory]),
    ...section(3, [1, 0]),
    ...section(7, [1, ...name(EXPORT), 0, 0]),
    ...section(10, [1, ...unsigned(code.length), ...code]),
  ]);
}

const INT = 0x7f;
const FOUR = 0x7b;
