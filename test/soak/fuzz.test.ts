import { removeTree } from '../../integrations/files/remove-tree';
import { fuzz, fuzzTargets } from '../attacks/fuzz';

/** Ten minutes for all targets together. */
const FUZZ_MS = 600_000;

test(
  'for ten minutes, whatever is in a file of a stranger, it is read, or refused with one line and a code',
  async () => {
    const { targets, folder } = await fuzzTargets();
    try {
      for (const target of targets) await fuzz(target, { runs: 1_000_000, ms: FUZZ_MS / targets.length });
    } finally {
      await removeTree(folder);
    }
  },
  2 * FUZZ_MS,
);
