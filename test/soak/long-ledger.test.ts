import { growLedger } from '../integration/steward/long-ledger';

jest.setTimeout(900_000);

test('a ledger of 2,000 entries is continued as new, loses nothing, and is quick to ask', () =>
  growLedger(2000));
