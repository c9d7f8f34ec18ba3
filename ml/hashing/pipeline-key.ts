import { createHash } from 'node:crypto';
import { type Params } from '../../contracts/params';
import { canonicalJson, type Json } from './canonical-json';

/** The four things that make one training: see `pipelineKey`. */
export interface PipelineIdentity {
  model: string;
  dataHash: string;
  paramsHash: string;
  codeHash: string;
}

/** SHA-256, in hex, of the UTF-8 bytes of a text. */
export function sha256Hex(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** The one name of a run: `sha256(canonical JSON of {model, dataHash, paramsHash, codeHash})`. */
export function pipelineKey({ model, dataHash, paramsHash, codeHash }: PipelineIdentity): string {
  return sha256Hex(canonicalJson({ model, dataHash, paramsHash, codeHash }));
}

/**
 * The part of the params that the outcome of a run depends on. Left out: where the data lies (its hash
 * says what it is), how often a stage is tried again, and who is told.
 */
export function decisiveParams(params: Params): Json {
  const { data, retry: _retry, notify: _notify, ...rest } = params;
  const { path: _path, ...decisiveData } = data;
  return { ...rest, data: decisiveData } as Json;
}

export function paramsHash(params: Params): string {
  return sha256Hex(canonicalJson(decisiveParams(params)));
}
