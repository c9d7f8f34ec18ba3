import { ServiceError } from '@temporalio/client';
import { outlast, type Outage } from '../../temporal/outlast';

const away = (code = 14): ServiceError => {
  const cause = Object.assign(new Error(`${code} no`), { code, details: 'connect ECONNREFUSED' });
  return new ServiceError('failed to fetch', { cause });
};

/** Answers with one of `answers` after the other. */
function asked(answers: readonly (Error | string)[], longestMs = 60_000): [Promise<string>, string[]] {
  const told: string[] = [];
  const left = [...answers];
  const outage: Outage = {
    onAway: (reason) => told.push(`away: ${reason}`),
    onBack: () => told.push('back'),
    longestMs,
    signal: new AbortController().signal,
  };
  const ask = async (): Promise<string> => {
    const next = left.shift() ?? 'nothing left';
    return next instanceof Error ? Promise.reject(next) : Promise.resolve(next);
  };
  return [outlast(ask, outage), told];
}

describe('waiting for an answer over outages', () => {
  test('an outage is told once, with its reason, and its end', async () => {
    const [answer, told] = asked([away(), away(13), 'promoted']);
    await expect(answer).resolves.toBe('promoted');
    expect(told).toEqual(['away: connect ECONNREFUSED', 'back']);
  });

  test('without one, nothing is told', async () => {
    const [answer, told] = asked(['promoted']);
    await expect(answer).resolves.toBe('promoted');
    expect(told).toEqual([]);
  });

  test.each([away(7), new Error('the run failed')])('what is no outage ends the wait: %s', async (error) => {
    const [answer, told] = asked([error]);
    await expect(answer).rejects.toBe(error);
    expect(told).toEqual([]);
  });

  test('one that lasts too long ends it with its own error', async () => {
    const [answer] = asked([away(), away(), away(), 'too late'], 0);
    await expect(answer).rejects.toBeInstanceOf(ServiceError);
  });

  test('an abort ends it with its reason', async () => {
    const over = new AbortController();
    const waiting = outlast(() => Promise.reject(away()), {
      ...{ onAway: () => over.abort(new Error('time is over')), onBack: () => undefined },
      ...{ longestMs: 60_000, signal: over.signal },
    });
    await expect(waiting).rejects.toThrow('time is over');
  });
});
