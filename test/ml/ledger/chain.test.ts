import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { type LedgerEntry } from '../../../contracts/steward';
import {
  firstBreak,
  type LedgerDraft,
  NOTHING_BEFORE,
  productionAt,
  sealEntries,
} from '../../../ml/ledger/chain';

/** A ledger of so many promotions, a second apart. */
function ledger(size: number): LedgerEntry[] {
  const entries: LedgerEntry[] = [];
  for (let i = 0; i < size; i++) {
    const draft: LedgerDraft = {
      ...{ event: 'promoted', by: 'train-iris', version: String(i + 1), reason: `reason ${i}` },
      ...{ from: i === 0 ? null : String(i), to: String(i + 1), evidence: null, pipelineKey: null },
    };
    const at = new Date(Date.UTC(2026, 0, 1, 0, 0, i)).toISOString();
    const head = entries.at(-1)?.hash ?? NOTHING_BEFORE;
    entries.push(...sealEntries({ model: 'iris', index: i, head, at }, [draft]));
  }
  return entries;
}

describe('the chain of a ledger', () => {
  test('is SHA-256 over the canonical JSON of an entry, as anybody can compute it', () => {
    const [entry] = ledger(1);
    const text =
      '{"at":"2026-01-01T00:00:00.000Z","by":"train-iris","event":"promoted","evidence":null,"from":null,"index":0,' +
      `"pipelineKey":null,"previous":"${'0'.repeat(64)}","reason":"reason 0","to":"1","version":"1"}`;
    expect(entry?.hash).toBe(createHash('sha256').update(text).digest('hex'));
  });

  test('is whole as it was made', () => {
    expect(firstBreak(ledger(50))).toBeNull();
    expect(firstBreak([])).toBeNull();
  });

  test('breaks at any entry that is changed, left out, doubled or moved', () => {
    const whole = ledger(20);
    const change = fc.oneof(
      fc.record({
        key: fc.constantFrom('by', 'reason', 'version', 'from', 'to', 'at', 'evidence', 'hash'),
        value: fc.string({ minLength: 1 }),
      }),
    );
    fc.assert(
      fc.property(fc.nat(18), change, (at, { key, value }) => {
        const entries = whole.map((entry, i) => (i === at ? { ...entry, [key]: `${value}!` } : entry));
        expect(firstBreak(entries)?.index).toBeLessThanOrEqual(at + 1);
      }),
    );
    fc.assert(
      fc.property(fc.nat(18), (at) => {
        expect(firstBreak([...whole.slice(0, at), ...whole.slice(at + 1)])?.index).toBe(at);
        expect(firstBreak([...whole.slice(0, at), whole[at]!, ...whole.slice(at)])?.index).toBe(at + 1);
      }),
    );
  });

  test('breaks where production changes between two entries, though each is sealed', () => {
    const [first] = ledger(1);
    const draft: LedgerDraft = {
      ...{
        event: 'promoted',
        by: 'x',
        version: '3',
        from: '2',
        to: '3',
        reason: '',
        evidence: null,
        pipelineKey: null,
      },
    };
    const position = { model: 'iris', index: 1, head: first!.hash, at: first!.at };
    expect(firstBreak([first!, ...sealEntries(position, [draft])])).toMatchObject({ index: 1 });
  });

  test('tells what was production at a moment', () => {
    const entries = ledger(5);
    expect(productionAt(entries, Date.UTC(2025, 0, 1))).toBeNull();
    expect(productionAt(entries, Date.UTC(2026, 0, 1, 0, 0, 2))?.to).toBe('3');
    expect(productionAt(entries, Date.UTC(2027, 0, 1))?.to).toBe('5');
  });
});
