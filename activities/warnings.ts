import { type Artifacts } from '../contracts/activities';
import { ARTIFACT, type DataWarning, TableProfile } from '../contracts/stage';
import { type ContentStore } from '../integrations/dvc/content-store';
import { readJson } from './read-json';

/** Warnings travel in results and tags; all of them are in the report. */
const MOST_WARNINGS = 5;
const MOST_CHARACTERS = 200;

/** What preprocess warned of. A stage in a container need not leave a profile. */
export async function dataWarnings(store: ContentStore, artifacts: Artifacts): Promise<DataWarning[]> {
  const profile = artifacts[ARTIFACT.profile];
  if (profile === undefined) return [];
  return TableProfile.parse(await readJson(store, profile)).warnings ?? [];
}

/** The first warnings, each cut: for results. */
export function shownWarnings(warnings: readonly DataWarning[]): string[] {
  return warnings.slice(0, MOST_WARNINGS).map(({ message }) => cut(message));
}

/**
 * Warnings as the tag `warnings` of run and version has them, to be searched by their kinds: `leakage: …; id: …`. Undefined:
 * there is nothing to warn of. At most six sentences.
 *
 * @param noBetter why the model is no better than its baseline; null: it is
 */
export function warningsTag(warnings: readonly DataWarning[], noBetter: string | null): string | undefined {
  const all = [
    ...(noBetter === null ? [] : [`baseline: ${cut(noBetter)}`]),
    ...warnings.slice(0, MOST_WARNINGS).map(({ kind, message }) => `${kind}: ${cut(message)}`),
    ...(warnings.length > MOST_WARNINGS ? [`and ${warnings.length - MOST_WARNINGS} more`] : []),
  ];
  return all.length === 0 ? undefined : all.join('; ');
}

const cut = (text: string): string =>
  text.length <= MOST_CHARACTERS ? text : `${text.slice(0, MOST_CHARACTERS - 1)}…`;
