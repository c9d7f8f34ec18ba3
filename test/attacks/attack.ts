import { ERRORS, type ErrorCode, isErrorCode, RetrainError } from '../../contracts/errors';

/** What somebody tries, and how it ends. */
export interface Attack {
  /** Named after what is done. */
  name: string;
  attempt: () => unknown;
  /** Of docs/errors.md. */
  code: ErrorCode;
  /** What the message must say. */
  says: RegExp;
  /** What the message must not say. */
  hides?: RegExp;
}

/** Growth of this process, in bytes, that an attack may leave behind. */
const MOST_GROWTH = 100 * 2 ** 20;

const MOST_MESSAGE = 4000;

/**
 * A table of attacks of one kind. Each ends with one bounded line of error, with a code from the table, without the process
 * growing; then `honest` work, somebody else's, goes as if nothing had been.
 */
export function describeAttacks(
  kind: string,
  attacks: readonly Attack[],
  honest: () => unknown,
  timeoutMs = 30_000,
): void {
  describe(kind, () => {
    test.each(attacks.map((attack) => [attack.name, attack] as const))(
      '%s',
      async (_name, { attempt, code, says, hides }) => {
        const before = process.memoryUsage.rss();
        const error = await failureOf(attempt);
        expect({ code: codeOf(error), message: messageOf(error) }).toEqual({
          code,
          message: expect.stringMatching(says) as string,
        });
        requireOneLine(messageOf(error));
        if (hides !== undefined) expect(messageOf(error)).not.toMatch(hides);
        expect(process.memoryUsage.rss() - before).toBeLessThan(MOST_GROWTH);
        await honest();
      },
      timeoutMs,
    );
  });
}

/** What the attempt threw. @throws when it did not */
export async function failureOf(attempt: () => unknown): Promise<unknown> {
  let result: unknown;
  try {
    result = await attempt();
  } catch (error) {
    return error;
  }
  throw new Error(`the attack came through: ${JSON.stringify(result)?.slice(0, 200)}`);
}

/** Whether a text is one bounded line without control characters. */
export function requireOneLine(message: string): void {
  expect(message.length).toBeLessThanOrEqual(MOST_MESSAGE);
  expect(message).toMatch(/^[^\p{Cc}]+$/u);
}

/** A code of the table: of our own errors, and of failures that a workflow throws, which have it as their type. */
export function codeOf(error: unknown): string | undefined {
  const { type } = error as { type?: string };
  const code = error instanceof RetrainError ? error.code : (type ?? messageOf(error));
  return isErrorCode(code) && code in ERRORS ? code : `none of ours: ${code}`;
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
