import { type Column } from '../ml/dataset/raw-table';
import { type Random } from '../ml/random/random';

/** How rows of a day, and days, go together. */
export type World = 'rows one by one' | 'days last' | 'same shops' | 'weekdays' | 'random walk';

export interface Day {
  day: number;
  values: number[];
}

const COLUMNS = 4;
const ROWS = 40;

const bell = (random: Random): number =>
  Math.sqrt(-2 * Math.log1p(-random.float())) * Math.cos(2 * Math.PI * random.float());

/** So many days of 40 rows with 4 columns; the first two of them go together. */
export function daysOf(world: World, days: number, random: Random): Day[] {
  const shops = Array.from({ length: ROWS }, () => Array.from({ length: COLUMNS }, () => bell(random)));
  const state = Array.from({ length: COLUMNS }, () => bell(random));
  return Array.from({ length: days }, (_, day) => {
    for (let c = 0; c < COLUMNS; c++) {
      if (world === 'random walk') state[c]! += 0.15 * bell(random);
      else state[c] = 0.7 * state[c]! + Math.sqrt(1 - 0.49) * bell(random);
    }
    state[1] = 0.8 * state[0]! + 0.2 * state[1]!;
    return shops.map((shop) => ({
      day,
      values: shop.map((own, c) => {
        const noise = bell(random);
        if (world === 'rows one by one') return noise;
        const weekday = world === 'weekdays' ? (day % 7 < 5 ? 0 : 1.5) : 0;
        const common = world === 'weekdays' ? 0.2 * state[c]! : 0.5 * state[c]!;
        return (world === 'same shops' ? own + 0.3 * noise : noise) + common + weekday;
      }),
    }));
  }).flat();
}

/** Rows of some days as a table, all values moved. */
export function tableOf(rows: readonly Day[], from: number, to: number, shift: number): Column[] {
  const own = rows.filter(({ day }) => day >= from && day < to);
  return Array.from({ length: COLUMNS }, (_, c) => ({
    ...{ kind: 'number', name: `column ${c}` },
    values: Float64Array.from(own, ({ values }) => values[c]! + (c === 0 ? shift : 0)),
  }));
}
