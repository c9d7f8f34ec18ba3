import { RetrainError, isErrorCode } from './errors';
import { type StageError } from './stage';

const MOST_CHARACTERS = 1000;

/** What a stage says of its failure, as an error of ours: one bounded line; a code that is none of ours is STAGE_FAILED. */
export function fromStageError({ code, message }: StageError): RetrainError {
  const [line = ''] = message.split('\n');
  return new RetrainError(isErrorCode(code) ? code : 'STAGE_FAILED', line.slice(0, MOST_CHARACTERS));
}

/** A stage on a full disk may have no room for out/error.json; it has said it on stderr then. Null: it has said nothing of the kind. */
export function fullDiskIn(said: string): RetrainError | null {
  const [, message] = /^DISK_FULL: (.+)$/m.exec(said) ?? [];
  return message === undefined ? null : fromStageError({ code: 'DISK_FULL', message });
}
