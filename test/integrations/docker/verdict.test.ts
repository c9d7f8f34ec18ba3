import { type EndedContainer, failureOf } from '../../../integrations/docker/verdict';

const state = (exitCode: number): EndedContainer['state'] =>
  ({ ExitCode: exitCode, OOMKilled: false, Error: '' }) as EndedContainer['state'];

const failure = (ended: Partial<EndedContainer>): string =>
  failureOf({
    ...{ stage: 'train', image: 'retrain/stage:1', memory: '2g', disk: '10g', network: 'none' },
    ...{ state: state(1), tail: '', engineWasAway: false, ...ended },
  }).message;

describe('why a container did not end well', () => {
  test.each([137, 143])(
    'is the engine’s stop, when it stopped; exit code %i says no more than that',
    (code) => {
      expect(failure({ state: state(code), engineWasAway: true })).toBe(
        'train (retrain/stage:1) was ended when the Docker engine stopped; it is tried again on the new one',
      );
    },
  );

  test('is somebody’s hand, when the engine goes on', () => {
    expect(failure({ state: state(137) })).toBe(
      'train (retrain/stage:1) ended with exit code 137 (SIGKILL); it was ended from outside, by hand or by another program, as the Docker engine goes on; it printed nothing',
    );
  });

  test('is the stage’s own failure, even if the engine was away meanwhile', () => {
    expect(failure({ state: state(1), engineWasAway: true, tail: 'no such column' })).toBe(
      'train (retrain/stage:1) ended with exit code 1; its last lines: no such column',
    );
  });
});
