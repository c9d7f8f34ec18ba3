const waiting = new WeakMap<AbortSignal, Promise<never>>();

/** Rejects with the signal's reason when it is aborted; one promise for each signal, however often it is asked for. */
export function abortOf(signal: AbortSignal): Promise<never> {
  let promise = waiting.get(signal);
  if (promise === undefined) {
    promise = new Promise((_, reject) => {
      const abort = (): void => reject(signal.reason as Error);
      if (signal.aborted) abort();
      else signal.addEventListener('abort', abort, { once: true });
    });
    // Whoever races against it hears of it.
    promise.catch(() => undefined);
    waiting.set(signal, promise);
  }
  return promise;
}
