import { VERSION_TAG } from '../../contracts/names';
import { type Mlflow } from '../../integrations/mlflow/client';
import { LedgerMirror } from '../../integrations/mlflow/ledger-mirror';
import { type PageSource } from './register-page';

const MOST_VERSIONS = 30;
const MOST_MOVES = 30;
const WITHIN_MS = 10_000;

/** The page's source where MLflow is: versions of the registry, and the ledger that the steward leaves there. */
export function mlflowHistory(mlflow: Mlflow): PageSource {
  const ledger = new LedgerMirror(mlflow);
  return {
    async history(model) {
      const signal = AbortSignal.timeout(WITHIN_MS);
      const [versions, mirrored] = await Promise.all([
        mlflow.registry.listVersions(model, MOST_VERSIONS, signal),
        // A ledger that is broken is `retrain history --verify`'s to report.
        ledger.read(model, MOST_MOVES, signal).catch(() => null),
      ]);
      return {
        versions: versions.map(({ version, aliases, createdAt, tags }) => ({
          version,
          aliases,
          createdAt,
          testAccuracy: tags[VERSION_TAG.testAccuracy] ?? null,
          reason: tags[VERSION_TAG.promotionReason] ?? null,
        })),
        moves: (mirrored?.entries ?? []).slice(-MOST_MOVES).reverse(),
      };
    },
    versionLink: (name, version) => mlflow.links.version(name, version),
  };
}
