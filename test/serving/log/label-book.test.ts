import fc from 'fast-check';
import { LabelBook, type KnownLabel } from '../../../serving/log/label-book';

test('a book of labels knows the latest of each row, as a map would', () => {
  const id = fc.oneof(fc.constantFrom('', 'r', 'rr', '1 r', 'é', 'r\u0000'), fc.uuid(), fc.string());
  const told = fc.record({
    id,
    row: fc.nat(3),
    at: fc.nat(5),
    label: fc.oneof(fc.constantFrom('a', 'b', ''), fc.double(), fc.boolean()),
  });
  fc.assert(
    fc.property(fc.array(told, { maxLength: 200 }), fc.array(fc.tuple(id, fc.nat(3))), (all, others) => {
      const book = new LabelBook();
      const map = new Map<string, KnownLabel>();
      for (const { id: request, row, at, label } of all) {
        book.add(request, row, { at, label });
        const key = JSON.stringify([request, row]);
        // Texts, as the log keeps them.
        const kept = typeof label === 'boolean' ? String(label) : label;
        if (at >= (map.get(key)?.at ?? -1)) map.set(key, { at, label: kept });
      }
      expect(book.size).toBe(map.size);
      for (const [request, row] of [...others, ...all.map((one) => [one.id, one.row] as const)])
        expect(book.get(request, row)).toEqual(map.get(JSON.stringify([request, row])));
    }),
    { numRuns: 200 },
  );
});

test('a book that grows loses nothing', () => {
  const book = new LabelBook();
  for (let i = 0; i < 20_000; i++)
    book.add(`request-${i}`, i % 3, { at: i, label: i % 2 === 0 ? i : `class ${i % 5}` });
  expect(book.size).toBe(20_000);
  const wrong = Array.from({ length: 20_000 }, (_, i) => i).filter((i) => {
    const { at, label } = book.get(`request-${i}`, i % 3) ?? {};
    return at !== i || label !== (i % 2 === 0 ? i : `class ${i % 5}`);
  });
  expect(wrong).toEqual([]);
  expect(book.get('request-1', 0)).toBeUndefined();
});
