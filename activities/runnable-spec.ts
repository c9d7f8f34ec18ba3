import { RetrainError } from '../contracts/errors';
import { type RunSpec } from '../contracts/run';
import { joinedDataHash, paramsHash, pipelineKey } from '../ml/hashing/pipeline-key';
import { isSealed } from '../pipeline/run/start-seal';
import { requireTriggerableSpec } from '../pipeline/run/triggerable-spec';

/**
 * Whether this worker runs a spec: its hashes are those of what it holds, and the project's own command line, or a worker, made it; else it
 * asks for no more than a trigger may.
 *
 * @param project the worker's
 * @param secret see `startSecret`
 * @throws RetrainError CONFIG_INVALID, CONFIG_NOT_FOUND
 */
export async function requireRunnable(spec: RunSpec, project: string, secret: string | null): Promise<void> {
  refuseFalseKey(spec);
  if (!isSealed(spec, secret)) await requireTriggerableSpec(project, spec);
}

/** A spec made by hand could claim to be another run. */
function refuseFalseKey(spec: RunSpec): void {
  const { params, data, extra, codeHash } = spec;
  const hash = paramsHash(params);
  const dataHash = joinedDataHash(data, extra);
  const key = pipelineKey({
    model: params.model,
    dataHash: dataHash ?? data.sha256,
    paramsHash: hash,
    codeHash,
  });
  if (key === spec.pipelineKey && hash === spec.paramsHash && dataHash === spec.dataHash) return;
  throw new RetrainError(
    'CONFIG_INVALID',
    `spec.pipelineKey is ${spec.pipelineKey.slice(0, 16)}…, but model, data, params and code make ${key.slice(0, 16)}…; leave spec out and let the worker fill it in, or build client and worker from the same commit`,
  );
}
