import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { dataInputs } from '../../contracts/data-inputs';
import { RetrainError } from '../../contracts/errors';
import type { TrainingData, GitState } from '../../contracts/run';
import { writeAtomically } from '../files/atomic-write';
import { compareFiles } from './compare-files';
import { modelFiles, type HashedFile } from './model-files';
import { SIGNATURE_FILE, STATEMENT_TYPE } from './sign-model';

export const PROVENANCE_FILE = 'provenance.json';
const PROVENANCE_PREDICATE = 'https://slsa.dev/provenance/v1';
/** Names of what a run makes beside the files: its MLflow run, and the version that it registers. */
export const MLFLOW_RUN = 'MLflow run';
export const REGISTERED_MODEL = 'registered model';
const BUILD_TYPE = 'urn:retrain:training-pipeline:1';

/** Where a model comes from. */
export interface Origin {
  /** The registered model and the number of its version. */
  model: string;
  modelVersion: string;
  /** params.yaml, resolved. */
  params: unknown;
  paramsHash: string;
  data: TrainingData;
  /** Tables that were joined to it, by name. */
  extra?: Readonly<Record<string, TrainingData>> | undefined;
  codeHash: string;
  pipelineKey: string;
  git: GitState;
  /** Stage → digest of the image that it ran in: `sha256:…`. */
  images?: Readonly<Record<string, string>>;
  workflowId: string;
  workflowRunId: string;
  mlflowRunId: string;
  mlflowExperimentId: string;
  /** ISO 8601. */
  startedAt: string;
  finishedAt: string;
  /** Version of retrain. */
  version: string;
  /** Files of the run that are no part of the model, by hash. */
  byproducts?: readonly { name: string; sha256: string }[];
}

/**
 * Writes `provenance.json` into a model directory: an in-toto statement with SLSA provenance v1
 * (https://slsa.dev/spec/v1.0/provenance). Its subjects are the model’s files. Sign afterwards: the signature then covers it.
 *
 * @returns the statement
 */
export async function writeProvenance(dir: string, origin: Origin): Promise<ProvenanceStatement> {
  const statement = provenanceStatement(await describedFiles(dir), origin);
  await writeAtomically(join(dir, PROVENANCE_FILE), `${JSON.stringify(statement, null, 2)}\n`);
  return statement;
}

/**
 * Checks a model directory against its `provenance.json`, offline.
 *
 * @throws RetrainError `VERIFICATION_FAILED` with the first file that differs; `DATA_NOT_FOUND` without a provenance
 */
export async function verifyProvenance(dir: string): Promise<ProvenanceStatement> {
  const file = join(dir, PROVENANCE_FILE);
  const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'ENOENT') throw cause;
    throw new RetrainError('DATA_NOT_FOUND', `${file}: no such file; the model has no provenance`, { cause });
  });
  let statement: ProvenanceStatement;
  try {
    statement = ProvenanceStatement.parse(JSON.parse(text));
  } catch (cause) {
    throw new RetrainError('VERIFICATION_FAILED', `${file} is no in-toto statement with SLSA provenance v1`, {
      cause,
    });
  }
  const recorded = statement.subject.map(({ name, digest }) => ({ name, sha256: digest.sha256 }));
  compareFiles(dir, await describedFiles(dir), recorded, PROVENANCE_FILE);
  return statement;
}

/** All files but the two that speak of the others, and what MLflow adds to a copy that it hands out. */
function describedFiles(dir: string): Promise<HashedFile[]> {
  return modelFiles(dir, [PROVENANCE_FILE, SIGNATURE_FILE, 'registered_model_meta']);
}

const Digests = z.record(z.string(), z.string());

export const ProvenanceStatement = z.looseObject({
  _type: z.literal(STATEMENT_TYPE),
  subject: z.array(z.object({ name: z.string(), digest: z.looseObject({ sha256: z.string() }) })),
  predicateType: z.literal(PROVENANCE_PREDICATE),
  predicate: z.looseObject({
    buildDefinition: z.looseObject({
      buildType: z.string(),
      externalParameters: z.record(z.string(), z.unknown()),
      internalParameters: z.record(z.string(), z.unknown()).optional(),
      resolvedDependencies: z.array(
        z.looseObject({
          name: z.string().optional(),
          uri: z.string().optional(),
          digest: Digests.optional(),
        }),
      ),
    }),
    runDetails: z.looseObject({
      builder: z.looseObject({ id: z.string(), version: Digests.optional() }),
      metadata: z.looseObject({
        invocationId: z.string().optional(),
        startedOn: z.string().optional(),
        finishedOn: z.string().optional(),
      }),
      byproducts: z
        .array(
          z.looseObject({
            name: z.string().optional(),
            annotations: z.record(z.string(), z.unknown()).optional(),
          }),
        )
        .optional(),
    }),
  }),
});
export type ProvenanceStatement = z.infer<typeof ProvenanceStatement>;

/** Pure: the statement for these files. */
function provenanceStatement(files: readonly HashedFile[], origin: Origin): ProvenanceStatement {
  const { git, images = {} } = origin;
  return {
    _type: STATEMENT_TYPE,
    subject: files.map(({ name, sha256 }) => ({ name, digest: { sha256 } })),
    predicateType: PROVENANCE_PREDICATE,
    predicate: {
      buildDefinition: {
        buildType: BUILD_TYPE,
        externalParameters: { params: origin.params },
        internalParameters: { pipelineKey: origin.pipelineKey },
        resolvedDependencies: [
          ...dataInputs(origin).map(({ data: { path, sha256, md5 } }) => ({
            name: path,
            digest: { sha256, ...(/^[0-9a-f]{32}$/.test(md5) && { md5 }) },
          })),
          { name: 'params', digest: { sha256: origin.paramsHash } },
          { name: 'stage code', digest: { sha256: origin.codeHash } },
          ...(git.commit === ''
            ? []
            : [
                {
                  ...(git.remoteUrl === '' ? { name: 'source' } : { uri: sourceUri(git) }),
                  digest: { gitCommit: git.commit },
                  annotations: { branch: git.branch, dirty: git.dirty },
                },
              ]),
          ...Object.entries(images).map(([stage, digest]) => ({
            name: `image of ${stage}`,
            digest: { sha256: digest.replace(/^sha256:/, '') },
          })),
        ],
      },
      runDetails: {
        builder: { id: 'urn:retrain:worker', version: { retrain: origin.version } },
        metadata: {
          invocationId: `${origin.workflowId}/${origin.workflowRunId}`,
          startedOn: origin.startedAt,
          finishedOn: origin.finishedAt,
        },
        byproducts: [
          {
            name: MLFLOW_RUN,
            annotations: { runId: origin.mlflowRunId, experimentId: origin.mlflowExperimentId },
          },
          {
            name: REGISTERED_MODEL,
            annotations: { model: origin.model, version: origin.modelVersion },
          },
          ...(origin.byproducts ?? []).map(({ name, sha256 }) => ({ name, digest: { sha256 } })),
        ],
      },
    },
  };
}

/** `git+https://host/x@<commit>`, as SPDX writes it; `git@host:x` becomes ssh. */
function sourceUri({ remoteUrl, commit }: GitState): string {
  const url = /^[^/]+@[^/:]+:/.test(remoteUrl) ? `ssh://${remoteUrl.replace(':', '/')}` : remoteUrl;
  return `git+${url}@${commit}`;
}
