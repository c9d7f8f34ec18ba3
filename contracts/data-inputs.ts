import { extraArtifact } from './data-params';
import { type RunSpec, type TrainingData } from './run';
import { ARTIFACT, type Artifact } from './stage';

/** One table of a run: its place in the project, and the artifact that preprocess is given. */
export interface DataInput {
  /** The key of params.yaml that names it. */
  key: string;
  data: TrainingData;
  artifact: Artifact;
}

/** All tables of a run: the data, then those that are joined to it, by their names. */
export function dataInputs({ data, extra = {} }: Pick<RunSpec, 'data' | 'extra'>): DataInput[] {
  const input = (key: string, name: string, one: TrainingData): DataInput => {
    const { sha256, md5, sizeBytes } = one;
    return { key, data: one, artifact: { name, sha256, md5, sizeBytes } };
  };
  const tables = Object.entries(extra).sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    input('data.path', ARTIFACT.data, data),
    ...tables.map(([name, one]) => input(`data.extra.${name}`, extraArtifact(name), one)),
  ];
}
