import { readFileSync } from 'node:fs';
import { ARTIFACT, TableSchema } from '../contracts/stage';
import { type StageContext } from './stage';

/** What preprocess learned about the table, out of in/schema.json. */
export function readSchema(context: StageContext): TableSchema {
  return TableSchema.parse(JSON.parse(readFileSync(context.input(ARTIFACT.schema), 'utf8')));
}
