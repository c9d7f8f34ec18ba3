import { ApplicationFailure } from '@temporalio/workflow';
import { type HandInput, type RollbackInput } from '../contracts/steward';

// What people send is a stranger's: checked before it is taken, so that a mistake leaves no trace.

const MOST_LETTERS = { reason: 1000, by: 200 } as const;

/** @throws ApplicationFailure USAGE */
export function checkHandInput(ask: HandInput): void {
  checkVersion('version', ask.version);
  checkReason(ask);
}

/** @throws ApplicationFailure USAGE */
export function checkReason(ask: Omit<RollbackInput, 'version'>): void {
  checkText('reason', ask.reason);
  checkText('by', ask.by);
  if (ask.to !== undefined) checkVersion('to', ask.to);
}

function checkVersion(key: string, value: unknown): void {
  if (typeof value === 'string' && /^[1-9]\d{0,8}$/.test(value)) return;
  throw refused(`${key} must be the number of a version, such as "3", got ${shown(value)}`);
}

function checkText(key: keyof typeof MOST_LETTERS, value: unknown): void {
  const most = MOST_LETTERS[key];
  if (typeof value === 'string' && value.trim() !== '' && value.length <= most) return;
  throw refused(`${key} must be a text of 1 to ${most} characters, got ${shown(value)}`);
}

function shown(value: unknown): string {
  return typeof value === 'string' && value.length > 50
    ? `${value.length} characters`
    : (JSON.stringify(value) ?? 'nothing');
}

function refused(message: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, 'USAGE');
}
