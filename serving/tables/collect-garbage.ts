import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

type Collect = (options: { type: 'minor' | 'major' }) => void;

/** Of so many collections one looks at what is old, too, in some 15 milliseconds. */
const MAJOR_EVERY = 32;

let collect: Collect | undefined;
let times = 0;

/**
 * Has V8 collect what is no longer used: mostly what is young, in a millisecond. Chunks of DuckDB are a few bytes to V8, which sees no reason to
 * let go of them, and 200 KiB each to the process: left alone, a long table would hold some hundred MiB of them.
 */
export function collectGarbage(): void {
  if (collect === undefined) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as Collect;
  }
  collect({ type: ++times % MAJOR_EVERY === 0 ? 'major' : 'minor' });
}
