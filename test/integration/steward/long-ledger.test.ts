import { growLedger } from './long-ledger';

jest.setTimeout(300_000);

// Longer than one workflow run can be; `make test-soak` goes on to 2,000.
test('a ledger of 500 entries is continued as new, loses nothing, and is quick to ask', () =>
  growLedger(500));
