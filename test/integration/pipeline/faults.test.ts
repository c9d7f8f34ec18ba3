import { describeFaults, type Shape } from './fault-suite';

jest.setTimeout(600_000);

// What a run of another shape has not, and a sixth of the faults; test/soak/faults.test.ts has all of all shapes.
const SHAPES: readonly Shape[] = [
  { name: 'in process', params: 'params.yaml', follows: false, own: /./ },
  { name: 'in a container', params: 'container.yaml', follows: false, own: /^train:|containers\./ },
  { name: 'handed over', params: 'params.yaml', follows: true, own: /./ },
];

describeFaults(
  'an error, a crash or a time-out, before or after each effect of a run',
  SHAPES,
  'in turn',
  (faults) => expect(faults).toBeGreaterThan(70),
);
