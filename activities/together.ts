/**
 * Both, or the error of the first in order that failed. Neither is left at work: an attempt that begins again must not meet what the
 * one before it still writes.
 */
export async function together<A, B>(a: Promise<A>, b: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([a, b]);
  return Promise.all([a, b]);
}
