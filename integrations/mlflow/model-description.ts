import { parse } from 'yaml';
import { z } from 'zod';
import { RetrainError } from '../../contracts/errors';
import { Artifact, type ModelDescription } from '../../contracts/stage';

const Content = Artifact.omit({ name: true });
type Content = z.infer<typeof Content>;

const MlmodelFile = z.looseObject({
  metadata: z
    .looseObject({
      feature_names: z.array(z.string()).min(1),
      class_labels: z.array(z.string()).default([]),
      model_content: Content.optional().catch(undefined),
    })
    .optional(),
});

/** What an MLmodel file tells of its model. */
export interface DescribedModel {
  /** Which columns it takes; null for a model that another tool logged and that does not say. */
  description: ModelDescription | null;
  /** Hashes and size of its model.onnx, for whoever may have it already. */
  content: Content | null;
}

/** @throws RetrainError MODEL_INVALID when it is no YAML. */
export function describeModel(mlmodel: Uint8Array): DescribedModel {
  let file: unknown;
  try {
    file = parse(Buffer.from(mlmodel).toString('utf8'), { maxAliasCount: 0, logLevel: 'silent' });
  } catch (cause) {
    throw new RetrainError('MODEL_INVALID', 'its MLmodel is no YAML file', { cause });
  }
  const { metadata } = MlmodelFile.catch({}).parse(file);
  if (metadata === undefined) return { description: null, content: null };
  return {
    description: { features: metadata.feature_names, classes: metadata.class_labels },
    content: metadata.model_content ?? null,
  };
}
