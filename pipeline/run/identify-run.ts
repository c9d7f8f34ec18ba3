import { type RunSpec } from '../../contracts/run';
import { columnChoice } from '../../ml/dataset/column-choice';
import { checkColumns } from '../../ml/dataset/header';
import { paramsHash, pipelineKey } from '../../ml/hashing/pipeline-key';
import { digestData } from './digest-data';
import { dataInsideProject } from './inside-project';
import { loadParams, type Overrides } from './load-params';
import { relabelled } from './relabelled';
import { codeHashWith, type StageCode } from '../stage-code';
import { type ImageDigest, stageImages } from '../stage-images';

export interface RunRequest {
  /** The user's project: what the paths in params.yaml are relative to. Absolute. */
  project: string;
  /** Relative to the project. */
  paramsPath: string;
  overrides?: Overrides;
  /** The stage code that will run. */
  code: StageCode;
  /** Tells what an image name means: `sha256:…`. Asked for container stages only. */
  imageDigest: ImageDigest;
}

/** What a run is about; `git`, `user` and `forceId` do not take part in its name and are added when it starts. */
export type RunIdentity = Omit<RunSpec, 'git' | 'user' | 'forceId'>;

/**
 * Reads the params, checks that the columns they name are in the data, hashes the data (SHA-256 and MD5 in
 * one streaming pass) and forms the pipeline key. Everything that is wrong with the config is found here,
 * before anything starts.
 *
 * @throws RetrainError CONFIG_NOT_FOUND, CONFIG_INVALID, DATA_NOT_FOUND, DATA_INVALID
 */
export async function identifyRun(request: RunRequest, signal?: AbortSignal): Promise<RunIdentity> {
  const { project, paramsPath, overrides, code } = request;
  const params = await loadParams(project, paramsPath, overrides);
  const { data, preprocess } = params;
  const file = await dataInsideProject(project, data.path, paramsPath);
  // What an SQL query makes of the columns, only the stage can tell.
  const choice = preprocess.sql === undefined ? columnChoice(params) : null;
  const [digest, images] = await Promise.all([
    digestData(project, file, signal).catch((error: unknown) => {
      throw relabelled(error, file, data.path);
    }),
    stageImages(params, request.imageDigest),
    checkColumns(file, data.path, choice, data.files, data),
  ]);
  const codeHash = codeHashWith(code, images);
  const hash = paramsHash(params);
  return {
    params,
    paramsPath,
    data: { path: data.path, sha256: digest.sha256, md5: digest.md5, sizeBytes: digest.sizeBytes },
    paramsHash: hash,
    codeHash,
    ...(images === undefined ? {} : { images }),
    pipelineKey: pipelineKey({ model: params.model, dataHash: digest.sha256, paramsHash: hash, codeHash }),
  };
}
