import { type DataParams, declaredData, type DeclaredData } from '../../contracts/data-params';
import { dataHashOf } from '../../contracts/lineage';
import { type RunSpec, type TrainingData } from '../../contracts/run';
import { type ColumnChoice } from '../../ml/dataset/column-plan';
import { columnChoice } from '../../ml/dataset/column-choice';
import { checkColumns } from '../../ml/dataset/header';
import { joinedDataHash, paramsHash, pipelineKey } from '../../ml/hashing/pipeline-key';
import { digestData } from './digest-data';
import { dataInsideProject } from './inside-project';
import { loadParams, type Overrides, type OverridesFrom } from './load-params';
import { relabelled } from './relabelled';
import { codeHashWith, type StageCode } from '../stage-code';
import { type ImageDigest, stageImages } from '../stage-images';

export interface RunRequest {
  /** The user's project: what the paths in params.yaml are relative to. Absolute. */
  project: string;
  /** Relative to the project. */
  paramsPath: string;
  overrides?: Overrides;
  /** Who set them; absent: the command line. */
  overridesFrom?: OverridesFrom;
  /** The stage code that will run. */
  code: StageCode;
  /** Tells what an image name means: `sha256:…`. Asked for container stages only. */
  imageDigest: ImageDigest;
}

/** What a run is about; `git`, `user`, `project`, `forceId` and `seal` do not take part in its name and are added when it starts. */
export type RunIdentity = Omit<RunSpec, 'git' | 'user' | 'project' | 'forceId' | 'seal'>;

/**
 * Reads the params, checks that the columns they name are in the data, hashes the data (SHA-256 and MD5 in
 * one streaming pass) and forms the pipeline key. Everything that is wrong with the config is found here,
 * before anything starts.
 *
 * @throws RetrainError CONFIG_NOT_FOUND, CONFIG_INVALID, DATA_NOT_FOUND, DATA_INVALID
 */
export async function identifyRun(request: RunRequest, signal?: AbortSignal): Promise<RunIdentity> {
  const { project, paramsPath, overrides, overridesFrom, code } = request;
  const params = await loadParams(project, paramsPath, overrides, overridesFrom);
  const { data, preprocess } = params;
  // What an SQL query makes of the columns, only the stage can tell.
  const choice = preprocess.sql === undefined ? columnChoice(params) : null;
  const [main, ...tables] = declaredData(data);
  const [digest, extra, images] = await Promise.all([
    identifyTable(request, main, { ...data, choice }, signal),
    Promise.all(
      tables.map((table) =>
        identifyTable(request, table, { ...data, files: undefined, choice: null }, signal),
      ),
    ),
    stageImages(params, request.imageDigest),
  ]);
  const codeHash = codeHashWith(code, images);
  const hash = paramsHash(params);
  const content = contentOf(digest, extra);
  return {
    params,
    paramsPath,
    ...content,
    paramsHash: hash,
    codeHash,
    ...(images === undefined ? {} : { images }),
    pipelineKey: pipelineKey({
      model: params.model,
      dataHash: dataHashOf(content),
      paramsHash: hash,
      codeHash,
    }),
  };
}

/** How a table is looked at before a run starts. */
interface Look extends Pick<DataParams, 'files' | 'csv' | 'missing'> {
  choice: ColumnChoice | null;
}

interface IdentifiedTable {
  /** Its name, as `DeclaredData` has it. */
  name: string | undefined;
  content: TrainingData;
}

async function identifyTable(
  { project, paramsPath }: RunRequest,
  { table, key, path }: DeclaredData,
  { choice, files, ...rules }: Look,
  signal?: AbortSignal,
): Promise<IdentifiedTable> {
  const file = await dataInsideProject(project, path, paramsPath, key);
  const told = (error: unknown): never => {
    throw relabelled(error, file, path, key);
  };
  const [{ sha256, md5, sizeBytes }] = await Promise.all([
    digestData(project, file, signal).catch(told),
    checkColumns(file, path, choice, files, rules).catch(told),
  ]);
  return { name: table, content: { path, sha256, md5, sizeBytes } };
}

/** What a run spec says of its tables. */
function contentOf(
  { content: data }: IdentifiedTable,
  tables: readonly IdentifiedTable[],
): Pick<RunSpec, 'data' | 'extra' | 'dataHash'> {
  const extra = Object.fromEntries(tables.map(({ name = '', content }) => [name, content]));
  const dataHash = joinedDataHash(data, extra);
  return dataHash === undefined ? { data } : { data, extra, dataHash };
}
