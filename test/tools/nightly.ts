/** Set by the `soak` project of jest.config.cjs. */
const isSoak = (globalThis as { retrainNightly?: unknown }).retrainNightly === true;

/** Whether time is no matter: `make test-soak`, which CI runs each night. `make test` has to be done in minutes. */
export const isNightly = isSoak;

/**
 * `test` of a suite that takes its minutes: one more way of what the tests beside it show. `make test-soak` runs the whole file with
 * these, `make test` without.
 */
export const nightly: jest.It = isNightly ? test : absent<jest.It>();

/** `describe`, likewise. */
export const describeNightly: jest.Describe = isNightly ? describe : absent<jest.Describe>();

/** Takes what `test` and `describe` take, and does nothing: a test that is skipped would count as one that something is missing for. */
function absent<T extends jest.It | jest.Describe>(): T {
  const nothing: unknown = new Proxy(() => undefined, { get: () => () => nothing, apply: () => undefined });
  return nothing as T;
}
