import { readFileSync } from 'node:fs';
import { RetrainError } from '../contracts/errors';
import { ARTIFACT, TableSchema } from '../contracts/stage';
import { parseInput } from './parse-input';
import { type StageContext } from './stage';

/** What preprocess learned about the table, out of in/schema.json. @throws RetrainError STAGE_FAILED */
export function readSchema(context: StageContext): TableSchema {
  const text = readFileSync(context.input(ARTIFACT.schema), 'utf8');
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new RetrainError('STAGE_FAILED', `in/${ARTIFACT.schema} is not JSON: ${String(cause)}`, { cause });
  }
  return parseInput(TableSchema, json, `in/${ARTIFACT.schema}`, 'STAGE_FAILED');
}
