/**
 * A market of trading cards that nobody has, for the example: what the price service knows of a day. Plain Node, seeded; the same
 * options give the same rows. Each number is drawn from the seed, the card and the day alone, so that a shift changes nothing before
 * its day and no other number after it.
 */

/** Cards of the set. */
export const CARDS = 151;

/** Days on which the service had nothing to tell, from 0. */
export const SILENT_DAYS = [33, 34, 111];

/** The card that was taken off the market, and the first day without it. */
export const DELISTED = { card: 97, day: 120 };

const RARITIES = [
  { name: 'common', cards: 60, price: 2 },
  { name: 'uncommon', cards: 45, price: 4 },
  { name: 'rare', cards: 31, price: 9 },
  { name: 'ultra-rare', cards: 15, price: 20 },
];

/** Share of the price that a promotion takes off, and for how many days. */
const DISCOUNT = 0.18;
const PROMOTION_DAYS = 3;
/** Chance of a card to go on promotion on a day. */
const PROMOTION_RATE = 0.02;
/** Chance of a card to be missing from a day. */
const MISSING_RATE = 0.01;

/** What is drawn, so that no two draws share a number. */
const DRAW = { base: 1, shock: 2, market: 3, promotion: 4, missing: 5, listings: 6 };

/** 53 bits in (0, 1) of four integers, by the finalizer of MurmurHash3 (Austin Appleby, public domain), twice. */
function uniform(seed, kind, card, day) {
  let hash = 0;
  const mix = (value) => {
    hash = Math.imul(hash ^ value, 0x9e3779b1);
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    hash ^= hash >>> 16;
    return hash >>> 0;
  };
  for (const value of [seed, kind, card + 1]) mix(value);
  const high = mix(day + 1) >>> 5;
  const low = mix(0x5bd1e995) >>> 6;
  return (high * 67108864 + low + 0.5) / 9007199254740992;
}

function normal(seed, kind, card, day) {
  const radius = Math.sqrt(-2 * Math.log(uniform(seed, kind, card, day)));
  return radius * Math.cos(2 * Math.PI * uniform(seed, kind + 100, card, day));
}

/**
 * @param options.seed whole number
 * @param options.start first day, YYYY-MM-DD
 * @param options.shifts what changes from a day on: `{ day, level, promotions, volatility }`, each a factor, day from 0
 */
export function createMarket({ seed = 151, start = '2026-01-01', shifts = [] } = {}) {
  const first = Date.parse(`${start}T00:00:00Z`);
  if (Number.isNaN(first)) throw new RangeError(`start must be a date such as 2026-01-01, got ${start}`);
  const factor = (name, day) =>
    shifts.reduce((product, shift) => (day >= shift.day ? product * (shift[name] ?? 1) : product), 1);
  const cards = cardsOf(seed);
  const states = [];

  /** Deviations from the usual level, which fade: of the market, and of each card. */
  function stateOf(day) {
    for (let d = states.length; d <= day; d++) {
      const before = states[d - 1];
      states.push({
        market: 0.97 * (before?.market ?? 0) + 0.006 * normal(seed, DRAW.market, 0, d),
        own: cards.map(
          (_, c) =>
            0.85 * (before?.own[c] ?? 0) + 0.03 * factor('volatility', d) * normal(seed, DRAW.shock, c, d),
        ),
      });
    }
    return states[day];
  }

  const startsPromotion = (card, day) =>
    day >= 0 &&
    uniform(seed, DRAW.promotion, card, day) < Math.min(1, PROMOTION_RATE * factor('promotions', day));

  function promoted(card, day) {
    for (let back = 0; back < PROMOTION_DAYS; back++) if (startsPromotion(card, day - back)) return true;
    return false;
  }

  const dateOf = (day) => new Date(first + day * 86_400_000).toISOString().slice(0, 10);

  return {
    dateOf,
    /** Number of a date, from 0; negative before the start. */
    dayOf: (date) => Math.round((Date.parse(`${date}T00:00:00Z`) - first) / 86_400_000),
    /** The rows of a day, by card: none on a silent day. */
    rowsOf(day) {
      if (SILENT_DAYS.includes(day)) return [];
      const date = dateOf(day);
      const weekday = new Date(first + day * 86_400_000).getUTCDay();
      const { market, own } = stateOf(day);
      return cards.flatMap(({ id, rarity, base }, c) => {
        if (c + 1 === DELISTED.card && day >= DELISTED.day) return [];
        if (uniform(seed, DRAW.missing, c, day) < MISSING_RATE) return [];
        const weekend = weekday === 0 || weekday === 6 ? 0.02 : 0;
        const promotion = promoted(c, day);
        const level = factor('level', day) * (promotion ? 1 - DISCOUNT : 1);
        const price = base * level * Math.exp(market + own[c] + weekend);
        const listings = Math.round(40 * Math.exp(-4 * own[c] + 0.15 * normal(seed, DRAW.listings, c, day)));
        return [
          { date, card_id: id, rarity, price: Number(price.toFixed(2)), on_promotion: promotion, listings },
        ];
      });
    },
  };
}

function cardsOf(seed) {
  const cards = RARITIES.flatMap(({ name, cards: count, price }) =>
    Array.from({ length: count }, () => ({ rarity: name, price })),
  );
  return cards.map(({ rarity, price }, c) => ({
    id: `sv2a-${String(c + 1).padStart(3, '0')}`,
    rarity,
    base: price * Math.exp(0.35 * normal(seed, DRAW.base, c, 0)),
  }));
}

/** `90:level=1.3,volatility=2` as a shift. @throws RangeError */
export function parseShift(text) {
  const [day, rest = ''] = text.split(':');
  const entries = rest.split(',').map((part) => part.split('='));
  const good =
    /^\d+$/.test(day) &&
    entries.every(
      ([name, value]) =>
        ['level', 'promotions', 'volatility'].includes(name) &&
        Number.isFinite(Number(value)) &&
        Number(value) >= 0,
    );
  if (good)
    return { day: Number(day), ...Object.fromEntries(entries.map(([name, value]) => [name, Number(value)])) };
  throw new RangeError(
    `--shift takes DAY:NAME=FACTOR with level, promotions or volatility, such as 90:level=1.3, got ${text}`,
  );
}
