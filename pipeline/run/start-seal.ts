import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { RetrainError } from '../../contracts/errors';
import { type RunSpec } from '../../contracts/run';
import { writeOnceSync } from '../../integrations/files/atomic-write';
import { type Environment } from '../../integrations/files/dot-env';
import { makeStateFolder, PRIVATE_FILE } from '../../integrations/files/state-folder';
import { canonicalJson, type Json } from '../../ml/hashing/canonical-json';

const LEAST_CHARACTERS = 16;

/**
 * By what a worker knows the specs of its own project's command line: RETRAIN_START_SECRET, the same on both machines; else a random
 * one, for its owner only, in the state folder that both use.
 *
 * @param state see `stateDir`
 * @returns null where none can be kept: then specs are looked through (`requireTriggerableSpec`)
 * @throws RetrainError CONFIG_INVALID for a RETRAIN_START_SECRET that can be guessed
 */
export function startSecret(state: string, env: Environment): string | null {
  const given = env['RETRAIN_START_SECRET'] || undefined;
  if (given !== undefined) {
    if (given.length >= LEAST_CHARACTERS) return given;
    throw new RetrainError(
      'CONFIG_INVALID',
      `RETRAIN_START_SECRET must have at least ${LEAST_CHARACTERS} characters, got ${given.length}; make one with: openssl rand -base64 32`,
    );
  }
  const file = path.join(state, 'start-secret');
  try {
    makeStateFolder(state);
    writeOnceSync(file, randomBytes(32).toString('hex'), PRIVATE_FILE);
    const kept = readFileSync(file, 'utf8').trim();
    return kept.length >= LEAST_CHARACTERS ? kept : null;
  } catch {
    return null;
  }
}

/** The spec with the sign that whoever has the secret made it, all of it. */
export function withSeal(spec: RunSpec, secret: string | null): RunSpec {
  return secret === null ? spec : { ...spec, seal: sealOf(spec, secret).toString('hex') };
}

/** Whether somebody who has the secret made this spec, and nobody has changed it since. */
export function isSealed(spec: RunSpec, secret: string | null): boolean {
  if (secret === null || spec.seal === undefined) return false;
  return timingSafeEqual(Buffer.from(spec.seal, 'hex'), sealOf(spec, secret));
}

function sealOf({ seal: _, ...spec }: RunSpec, secret: string): Buffer {
  const asItTravels = JSON.parse(JSON.stringify(spec)) as Json;
  return createHmac('sha256', secret)
    .update(`retrain start 1\n${canonicalJson(asItTravels)}`)
    .digest();
}
