import { dataInputs } from '../../contracts/data-inputs';
import { dataHashOf } from '../../contracts/lineage';
import { RUN_TAG } from '../../contracts/names';
import { type RunSpec } from '../../contracts/run';

/** Params of the MLflow run: params.yaml with dotted keys, and the three names that other tools look for. */
export function runParams(
  spec: Pick<RunSpec, 'params' | 'data' | 'dataHash'>,
): Record<string, string | number | boolean | null> {
  const { train } = spec.params;
  return {
    ...flat(spec.params),
    n_estimators: train.n_estimators,
    max_depth: train.max_depth,
    dataset_hash: dataHashOf(spec),
  };
}

/** What computes: the worker's part of the lineage. */
export interface Computing {
  /** Hash of the code of each compute stage. */
  stageCode: Readonly<Record<string, string>>;
  /** Version by library. */
  versions: Readonly<Record<string, string>>;
  /** Id of the Temporal namespace that the run's workflow is in. */
  temporalNamespaceId: string;
}

/** Lineage tags of the MLflow run; who it belongs to is written by `runs.open`. */
export function runTags(
  spec: RunSpec,
  { stageCode, versions, temporalNamespaceId }: Computing,
): Record<string, string> {
  const { data, git } = spec;
  return {
    [RUN_TAG.dataHash]: dataHashOf(spec),
    [RUN_TAG.dataMd5]: data.md5,
    ...Object.fromEntries(
      dataInputs(spec).map(({ data: { path, md5 } }) => [`${RUN_TAG.dataMd5}.${path}`, md5]),
    ),
    ...(spec.extra === undefined
      ? {}
      : { [RUN_TAG.dataSha256]: data.sha256, [RUN_TAG.dataExtra]: JSON.stringify(spec.extra) }),
    [RUN_TAG.dataSize]: String(data.sizeBytes),
    [RUN_TAG.paramsHash]: spec.paramsHash,
    [RUN_TAG.temporalNamespaceId]: temporalNamespaceId,
    [RUN_TAG.codeHash]: spec.codeHash,
    ...Object.fromEntries(
      Object.entries(stageCode).map(([stage, hash]) => [`${RUN_TAG.codeHash}.${stage}`, hash]),
    ),
    [RUN_TAG.libraryVersions]: JSON.stringify(versions),
    ...Object.fromEntries(
      Object.entries(spec.images ?? {}).map(([stage, digest]) => [`${RUN_TAG.imageDigest}.${stage}`, digest]),
    ),
    'mlflow.user': spec.user ?? 'retrain',
    'mlflow.source.type': 'PROJECT',
    'mlflow.source.name': spec.paramsPath,
    ...(spec.alarm === undefined
      ? {}
      : {
          [RUN_TAG.alarm]: spec.alarm.causes.join('; '),
          ...(spec.alarm.report === null ? {} : { [RUN_TAG.alarmReport]: spec.alarm.report }),
        }),
    ...(git.commit === ''
      ? {}
      : {
          [RUN_TAG.gitCommit]: git.commit,
          [RUN_TAG.gitDirty]: String(git.dirty),
          'mlflow.source.git.commit': git.commit,
          'mlflow.source.git.branch': git.branch,
          'mlflow.source.git.repoURL': git.remoteUrl,
        }),
  };
}

function flat(value: object, prefix = ''): Record<string, string | number | boolean | null> {
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, member]: [string, unknown]) => {
      const name = `${prefix}${key}`;
      if (
        member === null ||
        typeof member === 'number' ||
        typeof member === 'boolean' ||
        typeof member === 'string'
      ) {
        return [[name, member]];
      }
      if (typeof member === 'object' && !Array.isArray(member)) {
        const inner = Object.entries(flat(member, `${name}.`));
        return inner.length === 0 ? [[name, '{}']] : inner;
      }
      return [[name, JSON.stringify(member)]];
    }),
  );
}
