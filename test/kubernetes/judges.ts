import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeWith } from '../tools/needs';

/** kustomize, and kubernetes-validate with the schemas of all Kubernetes releases in it; the test set-up installs both and names them here. */
const kustomize = process.env.RETRAIN_TEST_KUSTOMIZE;
const kubernetesValidate = process.env.RETRAIN_TEST_KUBERNETES_VALIDATE;

/** `describe` where both are at hand. */
export const judged = describeWith('kubernetes');

/** The manifests that `kubectl apply -k` would send, as one YAML text. */
export function rendered(folder: string): string {
  return execFileSync(found(kustomize), ['build', folder], { encoding: 'utf8', stdio: 'pipe' });
}

/**
 * What is wrong with manifests by a release's own schemas; unknown keys are, too.
 *
 * @param release `1.31`
 * @returns '' when nothing is
 */
export function complaints(manifests: string, release: string): string {
  const dir = mkdtempSync(join(tmpdir(), 'retrain-manifests-'));
  const file = join(dir, 'manifests.yaml');
  writeFileSync(file, manifests);
  const args = ['--strict', '--quiet', '--kubernetes-version', release, file];
  const { status, stdout, stderr } = spawnSync(found(kubernetesValidate), args, { encoding: 'utf8' });
  rmSync(dir, { recursive: true });
  return status === 0 ? '' : `${stdout}${stderr}` || `exit code ${status}`;
}

function found(program: string | undefined): string {
  if (program !== undefined) return program;
  throw new Error('kustomize or kubernetes-validate is missing: run scripts/setup-test-tools.sh');
}
