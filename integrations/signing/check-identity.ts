import { RetrainError } from '../../contracts/errors';
import { MLFLOW_RUN, type ProvenanceStatement, REGISTERED_MODEL } from './provenance';

/** What a registry says that a model directory is. */
export interface ClaimedIdentity {
  model: string;
  version: string;
  /** Null: not known, as of a copy that was kept by an older retrain. */
  mlflowRunId: string | null;
}

/**
 * Holds what a registry says of a model directory against the directory's provenance: a signature alone would also pass for another
 * model of the same key, or for an older version, which somebody put in its place.
 *
 * A provenance from before it named the version is held against model and run, which has one version.
 *
 * @throws RetrainError VERIFICATION_FAILED
 */
export function checkIdentity(statement: ProvenanceStatement, claimed: ClaimedIdentity): void {
  const recorded = recordedIdentity(statement);
  const named = `${claimed.model} v${claimed.version}`;
  const pairs = [
    ['model', claimed.model, recorded.model],
    ['version', claimed.version, recorded.version ?? claimed.version],
    ['MLflow run', claimed.mlflowRunId, claimed.mlflowRunId === null ? null : recorded.mlflowRunId],
  ] as const;
  for (const [what, expected, seen] of pairs) {
    if (expected === seen) continue;
    throw new RetrainError(
      'VERIFICATION_FAILED',
      `what is registered as ${named} was made as another: its provenance names the ${what} ${seen ?? '(none)'}, expected ${expected ?? '(none)'}; do not use it, and find out who put it there`,
    );
  }
}

function recordedIdentity({ predicate }: ProvenanceStatement): {
  model: string | undefined;
  version: string | undefined;
  mlflowRunId: string | undefined;
} {
  const byproducts = predicate.runDetails.byproducts ?? [];
  const annotation = (name: string, key: string): string | undefined => {
    const value = byproducts.find((one) => one.name === name)?.annotations?.[key];
    return typeof value === 'string' ? value : undefined;
  };
  const { params } = predicate.buildDefinition.externalParameters;
  const model = typeof params === 'object' && params !== null && 'model' in params ? params.model : undefined;
  return {
    model: annotation(REGISTERED_MODEL, 'model') ?? (typeof model === 'string' ? model : undefined),
    version: annotation(REGISTERED_MODEL, 'version'),
    mlflowRunId: annotation(MLFLOW_RUN, 'runId'),
  };
}
