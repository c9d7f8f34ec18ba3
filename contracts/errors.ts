import { plainLine, plainWords } from './plain-words';

/** Exit codes of every command. */
export const EXIT = { done: 0, failed: 1, usage: 2, gateFailed: 3, unreachable: 4, cancelled: 5 } as const;

interface ErrorEntry {
  /** What it means, for the table in docs/errors.md. */
  what: string;
  /** What its reader can do. */
  next: string;
  /** Whether the same attempt, repeated, may succeed. Decides Temporal's `nonRetryable`. */
  retryable: boolean;
  exit: (typeof EXIT)[keyof typeof EXIT];
}

/** Every error that a user can meet; docs/errors.md is made from it. */
export const ERRORS = {
  USAGE: {
    what: 'A command was called with options it does not take.',
    next: 'Read `retrain COMMAND --help`.',
    retryable: false,
    exit: EXIT.usage,
  },
  CONFIG_NOT_FOUND: {
    what: 'The params file is not there.',
    next: 'Run in the project folder, or name the file with --params.',
    retryable: false,
    exit: EXIT.usage,
  },
  CONFIG_INVALID: {
    what: 'params.yaml, an override or a setting does not fit its schema.',
    next: 'Correct the key that the message names; docs/params.md lists them all.',
    retryable: false,
    exit: EXIT.usage,
  },
  DATA_NOT_FOUND: {
    what: 'The data that params.yaml names is not there.',
    next: 'Correct data.path, or fetch the data.',
    retryable: false,
    exit: EXIT.usage,
  },
  DATA_INVALID: {
    what: 'The data cannot be read as the table that params.yaml describes.',
    next: 'Correct the line and column that the message names.',
    retryable: false,
    exit: EXIT.usage,
  },
  DATA_TOO_LARGE: {
    what: 'The data need more memory than a stage may take.',
    next: 'Raise RETRAIN_STAGE_MEMORY where the stage runs, or read less: preprocess.filter, preprocess.drop, fewer files.',
    retryable: false,
    exit: EXIT.failed,
  },
  DATA_CHANGED: {
    what: 'The data changed between the start of the run and its first stage.',
    next: 'Start again: the new data makes a new run.',
    retryable: false,
    exit: EXIT.failed,
  },
  CODE_MISMATCH: {
    what: 'The worker runs other stage code than the one that the run was started for.',
    next: 'Build and deploy the client and the worker from the same commit, then start again.',
    retryable: false,
    exit: EXIT.failed,
  },
  ARTIFACT_MISSING: {
    what: 'An artifact that a stage needs is not in the content store.',
    next: 'Let all workers share one store, or start again with --force.',
    retryable: true,
    exit: EXIT.failed,
  },
  ARTIFACT_DAMAGED: {
    what: 'An artifact in the content store has other bytes than its hash says.',
    next: 'The damaged object was set aside; start again.',
    retryable: true,
    exit: EXIT.failed,
  },
  DISK_FULL: {
    what: 'A disk that has to be written to is full.',
    next: 'Make room where the message says (old objects of the content store: `dvc gc --workspace`), then repeat; nothing half-written is kept.',
    retryable: true,
    exit: EXIT.failed,
  },
  STORAGE_REFUSED: {
    what: 'A file or folder cannot be written: its file system is read-only, or it belongs to another user.',
    next: 'Give the user that retrain runs as the right to write where the message says, or mount it writable.',
    retryable: false,
    exit: EXIT.failed,
  },
  STAGE_FAILED: {
    what: 'A stage ended with an error that is not the data’s or the config’s fault.',
    next: 'Read the message and the worker’s log.',
    retryable: true,
    exit: EXIT.failed,
  },
  WORKSPACE_BUSY: {
    what: 'Another process, ours or dvc’s, holds the lock of the DVC workspace.',
    next: 'Let it finish; the message names it.',
    retryable: true,
    exit: EXIT.failed,
  },
  REMOTE_UNREACHABLE: {
    what: 'The data remote does not answer, or answered 429 or 5xx again and again.',
    next: 'Check its address in .dvc/config; what was transferred so far is kept, so repeat the command.',
    retryable: true,
    exit: EXIT.unreachable,
  },
  REMOTE_REFUSED: {
    what: 'The data remote refused a request.',
    next: 'Check its credentials (.dvc/config.local, or the environment) and their permissions.',
    retryable: false,
    exit: EXIT.failed,
  },
  LOCAL_CHANGES: {
    what: 'Restoring would overwrite files that are nowhere else.',
    next: 'Save the files that the message names, or repeat with --force.',
    retryable: false,
    exit: EXIT.failed,
  },
  DOCKER_UNREACHABLE: {
    what: 'The Docker engine does not answer.',
    next: 'Start it, or correct DOCKER_HOST.',
    retryable: true,
    exit: EXIT.unreachable,
  },
  DOCKER_REFUSED: {
    what: 'The Docker engine refused a request.',
    next: 'Read the engine’s message: a network or a path that it does not know, a limit that it cannot set.',
    retryable: false,
    exit: EXIT.failed,
  },
  IMAGE_NOT_FOUND: {
    what: 'The image of a container stage is neither on the engine nor to be had from its registry.',
    next: 'Build it (`make docker-build`), pull it, or correct the image in params.yaml.',
    retryable: false,
    exit: EXIT.failed,
  },
  CONTAINER_REFUSED: {
    what: 'The worker does not allow what a container stage or source asks for: its image, a variable, a volume, a network, or more than it gives.',
    next: 'Have the operator allow it in the worker’s environment, or correct params.yaml.',
    retryable: false,
    exit: EXIT.usage,
  },
  STAGE_OUT_OF_MEMORY: {
    what: 'A stage was ended because it used more than its memory limit.',
    next: 'Raise the stage’s memory (in process: RETRAIN_STAGE_MEMORY of the worker), or let it use less.',
    retryable: false,
    exit: EXIT.failed,
  },
  STAGE_TIMED_OUT: {
    what: 'A container stage ran longer than its timeout.',
    next: 'Raise the stage’s timeout, or let it do less.',
    retryable: true,
    exit: EXIT.failed,
  },
  STAGE_UNSAFE: {
    what: 'A stage broke its bounds: links, devices, or files larger or deeper than they can be among its outputs, too many processes, too much disk.',
    next: 'Look at what the image does; the message says what was found.',
    retryable: false,
    exit: EXIT.failed,
  },
  VERIFICATION_FAILED: {
    what: 'The files of a model are not those that were signed or recorded.',
    next: 'Do not use them; get the model again from where it was signed.',
    retryable: false,
    exit: EXIT.failed,
  },
  REPRODUCTION_FAILED: {
    what: 'What a run recorded could not be brought back: its commit, its changes, its data, its packages or its build.',
    next: 'Read which of them; fetch what is missing (`git fetch`, `retrain data push` where it is), then repeat.',
    retryable: false,
    exit: EXIT.failed,
  },
  MODEL_INVALID: {
    what: 'A model cannot be scored on the rows at hand.',
    next: 'Check that the model was trained on the same columns.',
    retryable: false,
    exit: EXIT.failed,
  },
  MLFLOW_UNREACHABLE: {
    what: 'The MLflow server does not answer.',
    next: 'Start it (`retrain up`), or correct MLFLOW_TRACKING_URI.',
    retryable: true,
    exit: EXIT.unreachable,
  },
  MLFLOW_BUSY: {
    what: 'The MLflow server answered 429 or 5xx, again and again.',
    next: 'Look at its log; the run goes on when it recovers.',
    retryable: true,
    exit: EXIT.unreachable,
  },
  MLFLOW_REFUSED: {
    what: 'The MLflow server refused a request.',
    next: 'Read the server’s message; for 401 or 403 check MLFLOW_TRACKING_USERNAME, _PASSWORD or _TOKEN.',
    retryable: false,
    exit: EXIT.failed,
  },
  TEMPORAL_UNREACHABLE: {
    what: 'The Temporal server does not answer.',
    next: 'Start it (`retrain up`), or correct TEMPORAL_ADDRESS.',
    retryable: true,
    exit: EXIT.unreachable,
  },
  TEMPORAL_REFUSED: {
    what: 'The Temporal server refused a request.',
    next: 'Read the reason in the message.',
    retryable: false,
    exit: EXIT.failed,
  },
  WAIT_TIMED_OUT: {
    what: 'A run did not end within the time that was to be waited for it. It goes on.',
    next: 'Wait again (`retrain start --wait`), or end it (`retrain cancel`).',
    retryable: false,
    exit: EXIT.failed,
  },
  WORKER_STOPPED: {
    what: 'A worker was stopped while it was at work. The next attempt does it again.',
    next: 'Nothing, if another worker runs; else start one: `npm run worker`, or `retrain up`.',
    retryable: true,
    exit: EXIT.failed,
  },
  QUEUE_TAKEN: {
    what: 'Another project works on the task queue that this project’s worker was to poll.',
    next: 'Set RETRAIN_TASK_QUEUE to a queue of this project’s own, for its workers and commands alike (.env).',
    retryable: false,
    exit: EXIT.usage,
  },
  WRONG_PROJECT: {
    what: 'A run got to a worker of another project.',
    next: 'Set RETRAIN_TASK_QUEUE to a queue of the project’s own, for its workers and commands alike (.env), then start again.',
    retryable: false,
    exit: EXIT.usage,
  },
  NO_WORKER: {
    what: 'No worker polls the task queue.',
    next: 'Start one: `npm run worker`, or `retrain up`.',
    retryable: true,
    exit: EXIT.unreachable,
  },
  NOT_FOUND: {
    what: 'There is no such run, model, version or schedule.',
    next: 'List what there is: `retrain list`, `retrain schedule list`.',
    retryable: false,
    exit: EXIT.failed,
  },
  RUN_FAILED: {
    what: 'The run failed.',
    next: 'Follow the link to its Temporal page; start again when the cause is gone.',
    retryable: false,
    exit: EXIT.failed,
  },
  RUN_CANCELLED: {
    what: 'The run was cancelled or terminated.',
    next: 'Start again.',
    retryable: false,
    exit: EXIT.cancelled,
  },
  GATE_FAILED: {
    what: 'The model did not meet the quality gate.',
    next: 'Improve the data or the params, or lower the gate on purpose.',
    retryable: false,
    exit: EXIT.gateFailed,
  },
  NOT_PENDING: {
    what: 'No such version waits for approval: it never did, or it was approved, rejected or has expired.',
    next: 'See what waits, and what became of the others: `retrain history MODEL`.',
    retryable: false,
    exit: EXIT.cancelled,
  },
  APPROVAL_STALE: {
    what: 'Production has moved since the candidate was compared with it, so its evidence no longer holds.',
    next: 'Start the run again with --force: the candidate meets the new production version.',
    retryable: false,
    exit: EXIT.cancelled,
  },
  NOT_AN_APPROVER: {
    what: 'Whoever asks may not approve: not on promote.approvers, or it is their own run and promote.four_eyes is set.',
    next: 'Ask somebody on the list.',
    retryable: false,
    exit: EXIT.cancelled,
  },
  PROMOTION_REFUSED: {
    what: 'A promotion or rollback by hand makes no sense as asked: the version is in production, never was, or failed its gate.',
    next: 'Read the message; `retrain history MODEL` shows what was production when.',
    retryable: false,
    exit: EXIT.cancelled,
  },
  LEDGER_BROKEN: {
    what: 'The ledger in MLflow is not a whole chain: an entry was changed, is missing or was taken off the end.',
    next: 'The message names the first entry that is wrong. While Temporal keeps the steward, it writes missing entries again.',
    retryable: false,
    exit: EXIT.failed,
  },
  PORT_TAKEN: {
    what: 'A port that the stack needs is in use by another program.',
    next: 'Stop that program, or choose another port with the flag or variable in the message.',
    retryable: false,
    exit: EXIT.usage,
  },
  TOOL_MISSING: {
    what: 'A program that the stack needs is not installed and could not be had.',
    next: 'Run `retrain doctor`: it says how to get each part.',
    retryable: false,
    exit: EXIT.unreachable,
  },
  SERVICE_DIED: {
    what: 'A server of the embedded stack stopped or did not become healthy.',
    next: 'Read the end of its log, which the message quotes.',
    retryable: false,
    exit: EXIT.unreachable,
  },
  SOURCE_NOT_ALLOWED: {
    what: 'The environment of whoever collects does not allow a source: its host, an address that it is at, or a key.',
    next: 'Have the operator allow it: RETRAIN_COLLECT_HOSTS for hosts and networks, RETRAIN_COLLECT_ENV for keys.',
    retryable: false,
    exit: EXIT.usage,
  },
  SOURCE_UNREACHABLE: {
    what: 'A source does not answer, or answered 429 or 5xx again and again.',
    next: 'Nothing was written; the next collection makes up for it. See whether the source is up, and requests_per_minute.',
    retryable: true,
    exit: EXIT.unreachable,
  },
  SOURCE_REFUSED: {
    what: 'A source refused a request, or sent it elsewhere.',
    next: 'Correct its url, its auth or its key; for a day that it does not have, no_data.',
    retryable: false,
    exit: EXIT.failed,
  },
  SOURCE_INVALID: {
    what: 'What a source answered is not what params.yaml describes: no JSON, too much, rows of another shape, pages without end.',
    next: 'Read the message; correct columns, rows or paging of the source, or tell whoever runs it. Nothing was written.',
    retryable: false,
    exit: EXIT.failed,
  },
  NOTIFIER_FAILED: {
    what: 'A notice could not be delivered.',
    next: 'Check the address and the credentials of that channel; the run itself is not affected.',
    retryable: true,
    exit: EXIT.failed,
  },
  NOTIFIER_REFUSED: {
    what: 'The receiver of a notice refused it, and would refuse it again.',
    next: 'Correct the address or the credentials of that channel; the run itself is not affected.',
    retryable: false,
    exit: EXIT.failed,
  },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof ERRORS;

/** What is said of our own programs ends with the last lines of their log; everything else is one line. */
const QUOTING: ReadonlySet<ErrorCode> = new Set(['SERVICE_DIED', 'TOOL_MISSING']);

/**
 * The one error class of the product. The message is one line: what failed, the value seen, what was
 * expected, what to do next. What it quotes of strangers is cleaned here: see `plainWords`.
 */
export class RetrainError extends Error {
  override readonly name = 'RetrainError';

  constructor(
    readonly code: ErrorCode,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(QUOTING.has(code) ? plainWords(message) : plainLine(message), options);
  }

  get retryable(): boolean {
    return ERRORS[this.code].retryable;
  }

  get exitCode(): number {
    return ERRORS[this.code].exit;
  }
}

export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERRORS, code);
}

/** `a, b, c, d, e and 3 more`: lists in messages are cut at five. */
export function listed(items: readonly string[], most = 5): string {
  if (items.length <= most) return items.join(', ');
  return `${items.slice(0, most).join(', ')} and ${items.length - most} more`;
}
