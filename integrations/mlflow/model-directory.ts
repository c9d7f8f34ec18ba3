import type { SignalRule } from '../../contracts/signal';
import { stringify } from 'yaml';
import { ARTIFACT, type Artifact, type TableSchema } from '../../contracts/stage';
import { inputsOf } from '../../ml/dataset/table-artifact';
import { type OnnxInterface } from '../../ml/onnx/read-interface';
import { type ReadingRules } from '../../ml/dataset/csv-format';
import { labelType } from './label-type';
import { modelSignature, rawColumnsOf } from './model-signature';
import { LOADER_CODE, LOADER_MODULE } from './pyfunc-loader';

/** Python and the packages with which a model is known to load and to predict; they go into its requirements. */
export interface ModelVersions {
  python: string;
  mlflow: string;
  onnx: string;
  onnxruntime: string;
  numpy: string;
}

/** Those of the test that loads every model by Python’s MLflow. */
const MODEL_VERSIONS: ModelVersions = {
  python: '3.11.7',
  mlflow: '3.17.2',
  onnx: '1.23.2',
  onnxruntime: '1.31.1',
  numpy: '2.4.6',
};

/** Folder of the model among the run’s artifacts. */
export const MODEL_PATH = 'model';

export interface ModelFile {
  /** Relative to the directory. */
  path: string;
  bytes: Uint8Array;
}

export interface ModelDirectoryInput {
  schema: TableSchema;
  /** What the graph takes and gives. */
  graph: OnnxInterface;
  /** Hashes and size of model.onnx. */
  content: Omit<Artifact, 'name'>;
  runId: string;
  /** The logged model that the directory is of, where the server has such. */
  modelId?: string | undefined;
  /** When the model was trained, epoch ms. */
  createdAt: number;
  /** Cut-off of the probability by class, where the evaluation chose one. */
  thresholds?: Record<string, number>;
  /** What a predicted number says to do, where the params ask for it. */
  signal?: SignalRule | undefined;
  /** How the tables of the training were written, where params.yaml says so: `retrain predict` reads others alike. */
  data?: ReadingRules | undefined;
  versions?: ModelVersions;
}

/**
 * The files of an MLflow model directory that Python’s `mlflow.pyfunc.load_model` and `mlflow.onnx.load_model` take, all but
 * model.onnx itself, which may be large. The same input gives the same bytes. MLmodel is last: a directory that has it is whole.
 * Source: https://mlflow.org/docs/latest/ml/model/ (storage format).
 */
export function modelDirectory(input: ModelDirectoryInput): ModelFile[] {
  const versions = input.versions ?? MODEL_VERSIONS;
  const requirements = [
    `mlflow==${versions.mlflow}`,
    `numpy==${versions.numpy}`,
    `onnx==${versions.onnx}`,
    `onnxruntime==${versions.onnxruntime}`,
  ];
  const { columns, data } = rowsTaken(input);
  // Row-wise table, the form in which MLflow keeps a DataFrame; a missing number is null.
  const example = { columns, data };
  return [
    text(`code/${LOADER_MODULE}.py`, LOADER_CODE),
    text('requirements.txt', `${requirements.join('\n')}\n`),
    yaml('python_env.yaml', {
      python: versions.python,
      build_dependencies: ['pip', 'setuptools', 'wheel'],
      dependencies: ['-r requirements.txt'],
    }),
    yaml('conda.yaml', {
      channels: ['conda-forge'],
      dependencies: [`python=${versions.python}`, 'pip', { pip: requirements }],
      name: 'mlflow-env',
    }),
    text('input_example.json', JSON.stringify(example)),
    text('serving_input_example.json', JSON.stringify({ inputs: records(example) }, null, 2)),
    yaml('MLmodel', mlmodel(input, versions)),
  ];
}

/**
 * The run tag by which MLflow’s UI shows that a run has a model. Key `mlflow.log-model.history`; set it after the upload.
 */
export function modelHistoryTag(input: ModelDirectoryInput): Record<string, string> {
  const entry = {
    artifact_path: MODEL_PATH,
    flavors: flavors(input.versions ?? MODEL_VERSIONS),
    run_id: input.runId,
    utc_time_created: pythonTime(input.createdAt),
    model_uuid: input.runId,
  };
  return { 'mlflow.log-model.history': JSON.stringify([entry]) };
}

/** The form that the scoring server takes of a model that checks its rows itself. */
function records({ columns, data }: Rows): Record<string, number | string | null>[] {
  return data.map((row) => Object.fromEntries(columns.map((name, at) => [name, row[at] ?? null])));
}

interface Rows {
  columns: string[];
  data: (number | string | null)[][];
}

/** The columns of the rows that the model takes, and the first rows: raw where it has an input for each column. */
function rowsTaken({ graph, schema }: ModelDirectoryInput): Rows {
  const taken = rawColumnsOf(graph, schema);
  if (taken === null) return { columns: schema.features, data: schema.example };
  const columns = taken.map(({ name }) => name);
  const positions = columns.map((column) => inputsOf(schema).findIndex(({ name }) => name === column));
  // A stage of another language may not tell the raw rows; without `inputs`, the prepared ones are raw.
  const rows = schema.rawExample ?? (schema.inputs === undefined ? schema.example : []);
  return { columns, data: rows.map((row) => positions.map((at) => row[at] ?? null)) };
}

function mlmodel(input: ModelDirectoryInput, versions: ModelVersions): object {
  const { schema } = input;
  const { columns } = rowsTaken(input);
  return {
    artifact_path: MODEL_PATH,
    flavors: flavors(versions),
    // The loader checks the rows that it is given, and takes more than MLflow would let through.
    is_signature_from_type_hint: true,
    metadata: {
      target: schema.target,
      feature_names: columns,
      class_labels: schema.classes,
      label_type: labelType(schema.classes),
      model_content: content(input),
      ...(Object.keys(input.thresholds ?? {}).length === 0 ? {} : { thresholds: input.thresholds }),
      ...(input.signal === undefined ? {} : { signal: input.signal }),
      ...(input.data === undefined ? {} : { data: input.data }),
    },
    mlflow_version: versions.mlflow,
    model_size_bytes: input.content.sizeBytes,
    // One model per run, so where there are no logged models the run’s id names the model too.
    model_uuid: input.modelId ?? input.runId,
    ...(input.modelId === undefined ? {} : { model_id: input.modelId }),
    run_id: input.runId,
    saved_input_example_info: {
      artifact_path: 'input_example.json',
      pandas_orient: 'split',
      serving_input_path: 'serving_input_example.json',
      type: 'dataframe',
    },
    signature: modelSignature(input.graph, schema),
    utc_time_created: pythonTime(input.createdAt),
  };
}

function content({ content: { sha256, md5, sizeBytes } }: ModelDirectoryInput): object {
  return { sha256, md5, sizeBytes };
}

function flavors(versions: ModelVersions): object {
  return {
    onnx: {
      code: null,
      data: ARTIFACT.model,
      onnx_version: versions.onnx,
      providers: ['CPUExecutionProvider'],
    },
    python_function: {
      code: 'code',
      data: ARTIFACT.model,
      env: { conda: 'conda.yaml', virtualenv: 'python_env.yaml' },
      loader_module: LOADER_MODULE,
      python_version: versions.python,
    },
  };
}

/** `2026-01-31 12:00:00.123000`, UTC: how MLflow writes times. */
function pythonTime(epochMs: number): string {
  return `${new Date(epochMs).toISOString().replace('T', ' ').replace('Z', '')}000`;
}

function yaml(path: string, content: object): ModelFile {
  // YAML 1.1, which PyYAML reads: it would take an unquoted `yes` or `1e3` among the class labels for something else.
  return text(path, stringify(content, { version: '1.1', lineWidth: 0, aliasDuplicateObjects: false }));
}

function text(path: string, content: string): ModelFile {
  return { path, bytes: Buffer.from(content, 'utf8') };
}
