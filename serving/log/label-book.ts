import { webcrypto } from 'node:crypto';
import { type Label } from '../model/served-model';

/** A true label, and when it came. */
export interface KnownLabel {
  /** Epoch ms. */
  at: number;
  label: Label;
}

/** Entries that there is room for at first. */
const FIRST = 1024;

/** Slots for each entry, at least: fewer, and looks become long. */
const SLOTS_PER_ENTRY = 1.5;

/**
 * The latest label of each row of each request, about 40 bytes for one where labels are numbers or few texts: a million take 60 MB at the moment of
 * growing. Requests are told apart by 64 bits of their names, begun otherwise in each process; that any two of a million share them has a chance of
 * one in thirty million.
 */
export class LabelBook {
  /** Of labels. */
  size = 0;
  readonly #seeds = webcrypto.getRandomValues(new Uint32Array(2));
  /** `[slots]` 1 + the entry there; 0: none. */
  #slots = new Int32Array(FIRST * 2);
  #high = new Uint32Array(FIRST);
  #low = new Uint32Array(FIRST);
  #at = new Float64Array(FIRST);
  /** A number, or the place of a text. */
  #value = new Float64Array(FIRST);
  #isText = new Uint8Array(FIRST);
  readonly #texts: string[] = [];
  readonly #placeOf = new Map<string, number>();
  /** Of the name that was hashed last. */
  #ownHigh = 0;
  #ownLow = 0;

  /** Keeps a label, unless a later one of the row is there. Of two at the same moment, that which is given last. */
  add(requestId: string, row: number, { at, label }: KnownLabel): void {
    this.#hash(requestId, row);
    const slot = this.#slotOf();
    let entry = this.#slots[slot]! - 1;
    if (entry === -1) {
      entry = this.size++;
      if (entry === this.#at.length) this.#grow();
      this.#high[entry] = this.#ownHigh;
      this.#low[entry] = this.#ownLow;
      this.#slots[this.#slotOf()] = entry + 1;
    } else if (at < this.#at[entry]!) return;
    this.#at[entry] = at;
    this.#isText[entry] = typeof label === 'number' ? 0 : 1;
    this.#value[entry] = typeof label === 'number' ? label : this.#place(String(label));
  }

  get(requestId: string, row: number): KnownLabel | undefined {
    if (this.size === 0) return undefined;
    this.#hash(requestId, row);
    const entry = this.#slots[this.#slotOf()]! - 1;
    if (entry === -1) return undefined;
    const value = this.#value[entry]!;
    return { at: this.#at[entry]!, label: this.#isText[entry] === 1 ? this.#texts[value]! : value };
  }

  #place(text: string): number {
    const known = this.#placeOf.get(text);
    if (known !== undefined) return known;
    this.#placeOf.set(text, this.#texts.length);
    return this.#texts.push(text) - 1;
  }

  /** That of the name that was hashed last, or the free one where it belongs. */
  #slotOf(): number {
    const mask = this.#slots.length - 1;
    let slot = this.#ownLow & mask;
    for (;;) {
      const entry = this.#slots[slot]! - 1;
      if (entry === -1) return slot;
      if (this.#high[entry] === this.#ownHigh && this.#low[entry] === this.#ownLow) return slot;
      slot = (slot + 1) & mask;
    }
  }

  #grow(): void {
    const room = this.#at.length * 2;
    this.#high = copied(new Uint32Array(room), this.#high);
    this.#low = copied(new Uint32Array(room), this.#low);
    this.#at = copied(new Float64Array(room), this.#at);
    this.#value = copied(new Float64Array(room), this.#value);
    this.#isText = copied(new Uint8Array(room), this.#isText);
    if (this.#slots.length >= room * SLOTS_PER_ENTRY) return;
    this.#slots = new Int32Array(this.#slots.length * 2);
    const mask = this.#slots.length - 1;
    for (let entry = 0; entry < room / 2; entry++) {
      let slot = this.#low[entry]! & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = entry + 1;
    }
  }

  /** Two hashes that multiply and shift, mixed at the end (MurmurHash3's finish). */
  #hash(requestId: string, row: number): void {
    let high = this.#seeds[0]! ^ row;
    let low = this.#seeds[1]! ^ Math.imul(row, 0x9e3779b1);
    for (let i = 0; i < requestId.length; i++) {
      const code = requestId.charCodeAt(i);
      high = Math.imul(high ^ code, 0x85ebca6b);
      high = (high << 13) | (high >>> 19);
      low = Math.imul(low ^ code, 0xc2b2ae35);
      low = (low << 15) | (low >>> 17);
    }
    this.#ownHigh = mixed(high ^ requestId.length);
    this.#ownLow = mixed(low ^ this.#ownHigh);
  }
}

function mixed(hash: number): number {
  let h = hash;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

function copied<T extends Float64Array | Uint32Array | Uint8Array>(into: T, from: T): T {
  into.set(from);
  return into;
}
