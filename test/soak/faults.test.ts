import { describeFaults, type Shape, STUMP } from '../integration/pipeline/fault-suite';

jest.setTimeout(1_200_000);

/** Each is a batch of its own, with a worker of its own that must leave nothing behind. */
const SHAPES: readonly Shape[] = [
  { name: 'in process', params: 'params.yaml', follows: false, own: /./ },
  { name: 'in a container', params: 'container.yaml', follows: false, own: /./ },
  { name: 'handed over', params: 'params.yaml', follows: true, own: /./ },
  {
    name: 'against a champion',
    params: 'params.yaml',
    follows: false,
    own: /./,
    second: true,
  },
  {
    name: 'below the gate',
    params: 'params.yaml',
    follows: false,
    own: /./,
    set: { train: STUMP, gate: { accuracy: 0.95 } },
    outcomes: ['gate_failed'],
  },
];

let all = 0;

for (const shape of SHAPES) {
  describeFaults(
    `an error, a crash or a time-out, before or after each effect of a run ${shape.name}`,
    [shape],
    'each kind',
    (faults) => {
      all += faults;
    },
  );
}

test('that were a thousand faults or more', () => {
  expect(all).toBeGreaterThanOrEqual(1000);
});
