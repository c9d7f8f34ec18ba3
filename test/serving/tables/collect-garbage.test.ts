import { setTimeout } from 'node:timers/promises';
import { collectGarbage } from '../../../serving/tables/collect-garbage';

const MIB = 1 << 20;

const held = (): number => process.memoryUsage().arrayBuffers / MIB;

test('what nobody uses any more is let go, and what is used stays', async () => {
  collectGarbage();
  const before = held();
  const kept = Array.from({ length: 8 }, () => new Uint8Array(MIB).fill(1));
  for (let i = 0; i < 24; i++) new Uint8Array(MIB).fill(1);
  // The memory is given back by another thread.
  while (held() > before + kept.length + 4) {
    collectGarbage();
    await setTimeout(5);
  }
  expect(held()).toBeGreaterThanOrEqual(before + kept.length);
  expect(kept.every((bytes) => bytes[MIB - 1] === 1)).toBe(true);
});
