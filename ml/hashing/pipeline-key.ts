import { createHash } from 'node:crypto';
import { decisivePlacement } from '../../contracts/container';
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
 * The part of the params that the outcome of a run depends on. Left out: where the data and the tables joined to it lie (the data
 * hash says what they are) and how they are collected, how often a stage is tried again, who is told, what a trigger may change, how the
 * model is served and watched, and where stages run: which queue, how much room, how long. An image counts by its digest, in the code
 * hash.
 */
export function decisiveParams(params: Params): Json {
  const { data, retry, notify, triggers, serving, drift, collect, preprocess, train, evaluate, ...rest } =
    params;
  const { path, extra, ...decisiveData } = data;
  return {
    ...rest,
    preprocess: decisivePlacement(preprocess),
    train: decisivePlacement(train),
    evaluate: decisivePlacement(evaluate),
    data: decisiveData,
  };
}

export function paramsHash(params: Params): string {
  return sha256Hex(canonicalJson(decisiveParams(params)));
}

/**
 * The data hash of a run that joins tables to its data: `sha256(canonical JSON of {data, extra: {name: sha256}})`. Without such
 * tables it is that of the data itself: undefined.
 */
export function joinedDataHash(
  data: { sha256: string },
  extra: Readonly<Record<string, { sha256: string }>> = {},
): string | undefined {
  const hashes = Object.fromEntries(Object.entries(extra).map(([name, { sha256 }]) => [name, sha256]));
  if (Object.keys(hashes).length === 0) return undefined;
  return sha256Hex(canonicalJson({ data: data.sha256, extra: hashes }));
}
