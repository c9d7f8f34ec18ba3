import { createProgress, elapsed } from '../../../client/stack/progress';

/** As much of a terminal as progress needs. */
function terminal(isTTY: boolean): { written: () => string; stream: NodeJS.WriteStream } {
  const chunks: string[] = [];
  const stream = { isTTY, columns: 60, write: (text: string) => chunks.push(text) };
  return { written: () => chunks.join(''), stream: stream as unknown as NodeJS.WriteStream };
}

describe('progress', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('prints a line for each step and every 15 s where there is no terminal', () => {
    const { written, stream } = terminal(false);
    const progress = createProgress(stream);
    progress.update('MLflow', 'installing');
    jest.advanceTimersByTime(32_000);
    progress.done('MLflow', 'started');
    progress.close();
    expect(written().split('\n')).toEqual([
      '  MLflow    installing',
      '  MLflow    installing … 15s',
      '  MLflow    installing … 30s',
      '  MLflow    started',
      '',
    ]);
  });

  it('draws one line with all that goes on, cut to the width of the terminal', () => {
    const { written, stream } = terminal(true);
    const progress = createProgress(stream);
    progress.update('Temporal', 'building');
    progress.update('MLflow', 'installing');
    jest.advanceTimersByTime(65_000);
    const lines = written().split('\r\x1b[K');
    expect(lines.at(-1)).toBe('  Temporal: building 1m05s · MLflow: installing 1m05s');
    progress.update('Worker', 'waiting for the others to come up');
    expect(written().split('\r\x1b[K').at(-1)).toHaveLength(59);
    progress.close();
    expect(written().endsWith('\r\x1b[K')).toBe(true);
    expect(written()).not.toContain('\n');
  });
});

describe('elapsed', () => {
  it.each([
    [0, '0s'],
    [59_999, '59s'],
    [125_000, '2m05s'],
  ])('says %d ms as %s', (ms, text) => {
    expect(elapsed(ms)).toBe(text);
  });
});
