import { BOARD_WORDS, PhaseBoard } from '../../../../ml/forest/boosting/phase-board';

const board = (): PhaseBoard => new PhaseBoard(new Int32Array(new SharedArrayBuffer(4 * BOARD_WORDS)));

test('a leader without helpers does every unit, once', () => {
  const done: number[] = [];
  const alone = board();
  alone.run(3, (unit) => done.push(unit));
  alone.run(2, (unit) => done.push(unit));
  expect(done.slice(0, 3).sort()).toEqual([0, 1, 2]);
  expect(done.slice(3).sort()).toEqual([0, 1]);
});

test('a helper takes units that the leader has not', () => {
  const shared = board();
  const byHelper: number[] = [];
  const byLeader: number[] = [];
  shared.run(4, (unit) => {
    byLeader.push(unit);
    if (byLeader.length > 1) return;
    // The helper comes while the leader is at its first unit, and does the rest.
    shared.serve((taken) => {
      byHelper.push(taken);
      if (byHelper.length === 3) shared.close();
    });
  });
  expect([...byLeader, ...byHelper].sort()).toEqual([0, 1, 2, 3]);
  expect(byHelper).toHaveLength(3);
});

test('a helper’s failure is the helper’s and the leader’s', () => {
  const shared = board();
  const failure = new Error('out of luck');
  const lead = (): void => {
    shared.run(2, () => {
      const serve = (): void => {
        shared.serve(() => {
          throw failure;
        });
      };
      expect(serve).toThrow(failure);
    });
  };
  expect(lead).toThrow('a boosting thread failed, or does not finish');
});
