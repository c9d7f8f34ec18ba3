import { type ContainerInspectInfo } from 'dockerode';
import { RetrainError } from '../../contracts/errors';

const NO_NETWORK =
  /ENETUNREACH|EAI_AGAIN|ENOTFOUND|Network is unreachable|name resolution|Name or service not known|Could not resolve|bad address/i;
const READ_ONLY = /EROFS|Read-only file system/i;
const NO_PROCESSES = /Resource temporarily unavailable|can't fork|Cannot fork|can't start new thread|EAGAIN/i;
const NO_SPACE = /ENOSPC|No space left|EFBIG|File too large/i;

/** Signals that people meet, by the exit code that a shell makes of them. */
const SIGNALS: Readonly<Record<number, string>> = {
  134: 'SIGABRT',
  137: 'SIGKILL',
  139: 'SIGSEGV',
  143: 'SIGTERM',
  153: 'SIGXFSZ: a file grew past the disk limit',
};

export interface EndedContainer {
  stage: string;
  image: string;
  memory: string;
  disk: string;
  network: string;
  state: ContainerInspectInfo['State'];
  /** The last lines of its log. */
  tail: string;
  /** The connection to the engine was lost while it ran. */
  engineWasAway: boolean;
}

/**
 * Why a container that did not end well did not: out of memory is named as such, and what the bounds of a container
 * make of a program's error is explained, beside the exit code and the last lines of its log.
 */
export function failureOf(ended: EndedContainer): RetrainError {
  const { stage, image, state, tail } = ended;
  if (state.OOMKilled) {
    return new RetrainError(
      'STAGE_OUT_OF_MEMORY',
      `${stage} (${image}) was ended by the kernel: out of memory, its limit is ${ended.memory}; raise ${stage}.memory${lastLines(tail)}`,
    );
  }
  if (ended.engineWasAway && state.ExitCode >= 128) {
    return new RetrainError(
      'STAGE_FAILED',
      `${stage} (${image}) was ended when the Docker engine stopped; it is tried again on the new one`,
    );
  }
  const signal = SIGNALS[state.ExitCode];
  const code = `exit code ${state.ExitCode}${signal === undefined ? '' : ` (${signal})`}`;
  const engineSays = state.Error === '' ? '' : `; the engine says: ${state.Error}`;
  return new RetrainError(
    'STAGE_FAILED',
    `${stage} (${image}) ended with ${code}${engineSays}${hint(ended)}${lastLines(tail)}`,
  );
}

/** Exit codes of a stage that did not end by itself: SIGKILL, SIGTERM. */
export const ENDED_FROM_OUTSIDE = new Set([137, 143]);

function hint({ stage, tail, network, disk, state }: EndedContainer): string {
  if (ENDED_FROM_OUTSIDE.has(state.ExitCode)) {
    return '; it was ended from outside, by hand or by another program, as the Docker engine goes on';
  }
  if (network === 'none' && NO_NETWORK.test(tail)) {
    return `; it has no network: name one with ${stage}.network if it needs one`;
  }
  if (READ_ONLY.test(tail)) return '; only /stage/out and /tmp can be written to';
  if (NO_SPACE.test(tail)) return `; /stage/out takes ${disk} (${stage}.disk), /tmp takes 256m`;
  if (NO_PROCESSES.test(tail)) return '; it may have 256 processes and threads';
  return '';
}

function lastLines(tail: string): string {
  return tail === '' ? '; it printed nothing' : `; its last lines: ${tail}`;
}
