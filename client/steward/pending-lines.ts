import { evidencePath } from '../../contracts/evidence';
import { type PendingApproval } from '../../contracts/steward';
import { MlflowLinks } from '../../integrations/mlflow/links';
import { type MlflowSettings } from '../../integrations/mlflow/settings';
import { paint } from '../terminal/screen';
import { numbered, oneLine } from './entry-lines';

/** A candidate that waits for approval, as the command line tells it. */
export interface Waiting {
  version: string;
  champion: string | null;
  requestedBy: string | null;
  approvers: readonly string[] | null;
  /** ISO 8601. */
  expiresAt: string;
  reason: string;
  /** SHA-256 of what the decision rests on. */
  evidence: string | null;
  /** The page of its evidence pack. */
  evidencePage: string | null;
}

export function waitingOf(settings: MlflowSettings, pending: readonly PendingApproval[]): Waiting[] {
  const links = new MlflowLinks(settings);
  return pending.map(({ version, champion, requestedBy, approvers, expiresAt, reason, ...one }) => ({
    ...{ version, champion, requestedBy, approvers, reason, evidence: one.evidence },
    expiresAt: new Date(expiresAt).toISOString(),
    evidencePage:
      one.evidencePack === undefined
        ? null
        : links.artifact(one.mlflowExperimentId, one.mlflowRunId, evidencePath(one.evidencePack, 'html')),
  }));
}

/** What waits, what to read and what to type; empty when nothing does. */
export function waitingLines(model: string, waiting: readonly Waiting[]): string[] {
  return waiting.flatMap(({ version, champion, expiresAt, reason, evidencePage }) => [
    '',
    `${paint.strong(`v${version} waits for approval`)}, in place of ${numbered(champion)}, until ${expiresAt.slice(0, 16).replace('T', ' ')} UTC`,
    `  ${oneLine(reason)}`,
    ...(evidencePage === null ? [] : [`  ${paint.dim('evidence')}  ${evidencePage}`]),
    paint.dim(`  retrain approve ${model} --version ${version} --reason …`),
  ]);
}
