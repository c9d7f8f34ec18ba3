import { type ClientConfig } from '../config';
import { userName } from '../run/user-name';

/** Who asks: --as, or whom a run would be started by here. It is what they say; who may ask at all is Temporal's to say. */
export function personAsking({ env }: ClientConfig, as: string | undefined): string {
  return as !== undefined && as.trim() !== '' ? as.trim() : userName(env);
}
