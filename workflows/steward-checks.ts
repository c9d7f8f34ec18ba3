import { ApplicationFailure } from '@temporalio/workflow';
import { type HandInput, type PromoteByHandInput, type RollbackInput } from '../contracts/steward';

// What people send is a stranger's: checked before it is taken, so that a mistake leaves no trace.

const MOST_LETTERS = { reason: 1000, by: 200 } as const;

/** Of an approval or a rejection. @throws ApplicationFailure USAGE */
export function checkHandInput(ask: HandInput): void {
  checkKeys(ask, ['version', 'by', 'reason'], '{"version": "3", "by": "ann", "reason": "…"}');
  checkVersion('version', ask.version);
  checkTexts(ask);
}

/** Of a promotion by hand. @throws ApplicationFailure USAGE */
export function checkPromotion(ask: PromoteByHandInput): void {
  checkKeys(ask, ['version', 'by', 'reason', 'force'], '{"version": "3", "by": "ann", "reason": "…"}');
  checkVersion('version', ask.version);
  checkTexts(ask);
  const force: unknown = ask.force;
  if (force !== undefined && typeof force !== 'boolean') {
    throw refused(`force must be true or false, got ${shown(force)}`);
  }
}

/** @throws ApplicationFailure USAGE */
export function checkRollback(ask: RollbackInput): void {
  checkKeys(ask, ['to', 'by', 'reason'], '{"by": "ann", "reason": "…"} or with "to": "2"');
  checkTexts(ask);
  if (ask.to !== undefined) checkVersion('to', ask.to);
}

/** A key that means nothing here may be meant for something: a rollback with a `version` would go elsewhere. */
function checkKeys(ask: unknown, known: readonly string[], example: string): void {
  if (typeof ask !== 'object' || ask === null || Array.isArray(ask)) {
    throw refused(`expected one JSON object such as ${example}, got ${shown(ask)}`);
  }
  const unknown = Object.keys(ask).find((key) => !known.includes(key));
  if (unknown === undefined) return;
  throw refused(`unknown key ${shown(unknown)}, expected ${known.join(', ')}, as in ${example}`);
}

function checkTexts(ask: { reason: string; by: string }): void {
  checkText('reason', ask.reason);
  checkText('by', ask.by);
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
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 52 ? `${text.length} characters` : text;
}

function refused(message: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, 'USAGE');
}
