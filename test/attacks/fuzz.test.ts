import { removeTree } from '../../integrations/files/remove-tree';
import { fuzz, fuzzTargets } from './fuzz';

/** The same every time; the soak tests go by chance, for ten minutes. */
const SEED = 20;

test('whatever is in a file of a stranger, it is read, or refused with one line and a code', async () => {
  const { targets, folder } = await fuzzTargets();
  try {
    for (const target of targets) await fuzz(target, { runs: 60, seed: SEED });
  } finally {
    await removeTree(folder);
  }
}, 120_000);
