import type { Notice } from '../../contracts/notice';

/** A way to tell people. */
export interface NoticeChannel {
  /** `log`, `slack`, `webhook` or `email`. */
  readonly name: string;
  /**
   * Delivers one notice, once. A repetition with the same notice id may reach the receiver twice.
   * @throws RetrainError NOTIFIER_FAILED when a later attempt may succeed, NOTIFIER_REFUSED when none will;
   * the signal’s reason when it is aborted
   */
  send(notice: Notice, signal: AbortSignal): Promise<void>;
}
