import path from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { CsvParams } from '../../contracts/data-params';
import { listed, RetrainError } from '../../contracts/errors';
import { plainLine } from '../../contracts/plain-words';
import { SignalRule } from '../../contracts/signal';
import { readBounded } from '../../integrations/files/read-bounded';
import { type ReadingRules } from '../../ml/dataset/csv-format';

/** A column of a signature, in MLflow's words. */
const ColumnSpec = z.looseObject({
  name: z.string().optional(),
  type: z.string(),
  required: z.boolean().optional(),
});

const TensorSpec = z.looseObject({
  name: z.string().optional(),
  type: z.literal('tensor'),
  'tensor-spec': z.looseObject({ dtype: z.string(), shape: z.array(z.number()) }),
});

export type SignatureInput = z.infer<typeof ColumnSpec> | z.infer<typeof TensorSpec>;

const SignatureInputs = z.array(z.union([TensorSpec, ColumnSpec]));

/** An int64 among the labels is written as a number by some, and as a text by us. */
const ClassLabels = z.array(z.union([z.string(), z.number(), z.boolean()]));

const MlmodelFile = z.looseObject({
  flavors: z.record(z.string(), z.unknown()).default({}),
  signature: z.looseObject({ inputs: z.string().nullish(), outputs: z.string().nullish() }).nullish(),
  metadata: z
    .looseObject({
      feature_names: z.array(z.string()).optional().catch(undefined),
      class_labels: ClassLabels.optional().catch(undefined),
      label_type: z.enum(['int64', 'float64', 'bool', 'str']).optional().catch(undefined),
      thresholds: z.record(z.string(), z.number()).optional().catch(undefined),
      signal: SignalRule.optional().catch(undefined),
      data: z
        .looseObject({
          csv: CsvParams.optional().catch(undefined),
          missing: z.array(z.string().max(100)).max(100).optional().catch(undefined),
        })
        .optional()
        .catch(undefined),
    })
    .nullish(),
  saved_input_example_info: z.looseObject({ artifact_path: z.string() }).nullish().catch(null),
});

const OnnxFlavor = z.looseObject({ data: z.string() });

/** What a model directory says of its model, beside the graph. */
export interface ModelCard {
  /** Absolute path of the ONNX file. */
  file: string;
  /** Of the signature; null: there is none. */
  inputs: readonly SignatureInput[] | null;
  /** Columns and classes as a model of ours tells them; null: it is somebody else's. */
  ours: { columns: readonly string[]; labelType: 'int64' | 'float64' | 'bool' | 'str' } | null;
  /** Class labels that it tells; null: it tells none. */
  classes: readonly (string | number | boolean)[] | null;
  /** The cut-off of the probability by class that the evaluation chose. */
  thresholds: Readonly<Record<string, number>>;
  /** What a predicted number says to do; null: nothing. */
  signal: SignalRule | null;
  /** How the tables of its training were written; empty: as usual, or it does not tell. */
  rules: ReadingRules;
  /** The rows of the input example with their columns' names; null where they have none. */
  example: { columns: readonly string[] | null; rows: readonly (readonly unknown[])[] };
}

const MOST_MLMODEL_BYTES = 16 << 20;
const MOST_EXAMPLE_BYTES = 4 << 20;
const MOST_EXAMPLE_ROWS = 100;

/**
 * Reads what a model directory says of its model.
 * Format: https://mlflow.org/docs/latest/ml/model/ (storage format).
 *
 * @param metadata a `model_metadata.json` for a model whose MLmodel tells no cut-off; absent: the one in the directory, if there is one
 * @throws RetrainError DATA_NOT_FOUND when the directory is none of a model; MODEL_INVALID when its model is not ONNX
 */
export async function readModelCard(dir: string, metadata?: string): Promise<ModelCard> {
  const text = await readBounded(path.join(dir, 'MLmodel'), 'MLmodel', MOST_MLMODEL_BYTES).catch(notThere);
  if (text === null) {
    throw new RetrainError(
      'DATA_NOT_FOUND',
      `${dir}: holds no MLmodel; name the directory of a model as MLflow keeps it, or a registered one, such as iris-classifier@production`,
    );
  }
  const mlmodel = parsedMlmodel(text);
  const onnx = OnnxFlavor.safeParse(mlmodel.flavors['onnx']);
  if (!onnx.success) {
    throw new RetrainError(
      'MODEL_INVALID',
      `its MLmodel has the flavors ${plainLine(listed(Object.keys(mlmodel.flavors)))}, expected onnx: export the model to ONNX (skl2onnx, torch.onnx, …), log it with mlflow.onnx, and register that`,
    );
  }
  const about = mlmodel.metadata ?? {};
  const { feature_names: columns, label_type: labelType } = about;
  return {
    file: insideOf(dir, onnx.data.data),
    inputs: signatureInputs(mlmodel.signature?.inputs ?? null),
    ours: columns === undefined || labelType === undefined ? null : { columns, labelType },
    classes: about.class_labels ?? null,
    thresholds:
      about.thresholds ?? (await recordedThresholds(metadata ?? path.join(dir, 'model_metadata.json'))),
    signal: about.signal ?? null,
    rules: { csv: about.data?.csv, missing: about.data?.missing },
    example: await exampleOf(dir, mlmodel.saved_input_example_info?.artifact_path),
  };
}

function notThere(error: unknown): null {
  if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') return null;
  throw error;
}

function parsedMlmodel(text: string): z.infer<typeof MlmodelFile> {
  let file: unknown;
  try {
    file = parse(text, { maxAliasCount: 0, logLevel: 'silent' });
  } catch (cause) {
    throw new RetrainError('MODEL_INVALID', 'its MLmodel is no YAML file', { cause });
  }
  const parsed = MlmodelFile.safeParse(file);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new RetrainError(
    'MODEL_INVALID',
    `its MLmodel cannot be read: ${plainLine(issue?.path.join('.') ?? '')}: ${plainLine(issue?.message ?? '')}`,
  );
}

/** A file of the directory. @throws RetrainError MODEL_INVALID for one outside of it, or none */
function insideOf(dir: string, name: string): string {
  const file = path.resolve(dir, name);
  const relative = path.relative(dir, file);
  if (relative === '' || relative.startsWith('..') || path.isAbsolute(relative)) {
    throw new RetrainError(
      'MODEL_INVALID',
      `its MLmodel names the file ${plainLine(name)}, expected one in its directory`,
    );
  }
  return file;
}

/** @throws RetrainError MODEL_INVALID for a signature that is none */
function signatureInputs(json: string | null): readonly SignatureInput[] | null {
  if (json === null) return null;
  try {
    return SignatureInputs.parse(JSON.parse(json));
  } catch (cause) {
    throw new RetrainError(
      'MODEL_INVALID',
      'the inputs of its signature cannot be read: expected columns or tensors; log the model again with infer_signature(X, y)',
      { cause },
    );
  }
}

const Thresholds = z.looseObject({ thresholds: z.record(z.string(), z.number()) });

async function recordedThresholds(file: string): Promise<Readonly<Record<string, number>>> {
  const text = await readBounded(file, 'model_metadata.json', MOST_MLMODEL_BYTES);
  if (text === null) return {};
  try {
    return Thresholds.parse(JSON.parse(text)).thresholds;
  } catch {
    // It is for other tools, and may be another tool's.
    return {};
  }
}

const Split = z.looseObject({ columns: z.array(z.unknown()), data: z.array(z.array(z.unknown())) });
const Rows = z.array(z.array(z.unknown()));
const Inputs = z.looseObject({ inputs: Rows });

/** The input example, in whatever of MLflow's forms it is; none for one that cannot be read: nothing hangs on it. */
async function exampleOf(dir: string, name: string | undefined): Promise<ModelCard['example']> {
  const none = { columns: null, rows: [] };
  if (name === undefined) return none;
  try {
    const text = await readBounded(insideOf(dir, name), name, MOST_EXAMPLE_BYTES);
    const json: unknown = JSON.parse(text ?? 'null');
    const split = Split.safeParse(json);
    if (split.success) {
      const { columns, data } = split.data;
      const named = columns.every((column) => typeof column === 'string');
      return { columns: named ? columns : null, rows: data.slice(0, MOST_EXAMPLE_ROWS) };
    }
    const inputs = Inputs.safeParse(json);
    const rows = inputs.success ? inputs.data.inputs : Rows.parse(json);
    return { columns: null, rows: rows.slice(0, MOST_EXAMPLE_ROWS) };
  } catch {
    return none;
  }
}
