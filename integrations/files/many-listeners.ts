import { setMaxListeners } from 'node:events';

/**
 * Lets a signal be listened to by as many as there are transfers, requests and threads that it ends: Node takes more than ten for a
 * leak, and warns.
 */
export function manyListeners(signal: AbortSignal): AbortSignal {
  setMaxListeners(0, signal);
  return signal;
}
