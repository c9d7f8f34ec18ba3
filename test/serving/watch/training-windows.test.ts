import { tmpdir } from 'node:os';
import { Params } from '../../../contracts/params';
import { ContentStore } from '../../../integrations/dvc/content-store';
import { trainingWindows } from '../../../serving/watch/training-windows';

const { signal } = new AbortController();

const of = (preprocess: object): Parameters<typeof trainingWindows>[1] => ({
  ...{ times: null, schema: null },
  params: Params.parse({
    experiment: 'm',
    model: 'm',
    task: 'classification',
    gate: {},
    data: { path: 'a.csv', target: 'y' },
    preprocess,
  }),
});

test.each([
  [
    'whose rows come in groups, says that chance does not know of them',
    { split: 'grouped', group_by: 'patient' },
    /split by patient/,
  ],
  ['without a time has nothing to say', {}, null],
])('a training %s', async (_, preprocess, note) => {
  const store = new ContentStore(tmpdir());
  const train = { of: 10, positions: new Uint32Array(10) };
  const found = await trainingWindows(store, of(preprocess), train, { of: 10, times: null }, signal);
  expect(found.windows).toBeNull();
  if (note === null) expect(found.note).toBeNull();
  else expect(found.note).toMatch(note);
});
