import { parse } from 'yaml';
import { z } from 'zod';
import { type ModelDescription } from '../../contracts/stage';

const MlmodelFile = z.looseObject({
  metadata: z
    .looseObject({ feature_names: z.array(z.string()).min(1), class_labels: z.array(z.string()).default([]) })
    .optional(),
});

/** Which columns a model takes, by its MLmodel file; null for a model that another tool logged and that does not say. */
export function describeModel(mlmodel: Uint8Array): ModelDescription | null {
  const { metadata } = MlmodelFile.catch({}).parse(parse(Buffer.from(mlmodel).toString('utf8')));
  return metadata === undefined ? null : { features: metadata.feature_names, classes: metadata.class_labels };
}
