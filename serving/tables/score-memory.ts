/**
 * Shared memory for batches that are scored in threads, used again in turns: memory that every thread has seen goes only once each of them
 * has collected its garbage, so that new memory for each batch would grow with the rows.
 */
export class ScoreMemory {
  private readonly slots: Slot[];
  private turn = 0;

  /** @param batches that may be in use at once */
  constructor(batches: number) {
    this.slots = Array.from({ length: batches }, () => ({
      values: new Float32Array(0),
      predictions: new Float64Array(0),
      answers: [],
    }));
  }

  /** Room for one batch, with what the last one left there. It is its own until as many others have had their turn. */
  next(values: number, predictions: number): Slot {
    const place = this.turn++ % this.slots.length;
    const slot = this.slots[place]!;
    if (slot.values.length < values) slot.values = new Float32Array(new SharedArrayBuffer(4 * values));
    if (slot.predictions.length < predictions)
      slot.predictions = new Float64Array(new SharedArrayBuffer(8 * predictions));
    return {
      values: slot.values.subarray(0, values),
      predictions: slot.predictions.subarray(0, predictions),
      answers: slot.answers,
    };
  }
}

interface Slot {
  values: Float32Array;
  predictions: Float64Array;
  /** For the columns of its answers. */
  answers: Float64Array[];
}
