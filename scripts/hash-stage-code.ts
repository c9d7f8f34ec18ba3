/**
 * Writes dist/stage-code.json: for each compute stage the SHA-256 over its code, that is, over the
 * bundle of everything it imports (white space and comments taken out, so that only code counts) and
 * the versions of the packages in it. A change to a helper that a stage imports changes its hash; a
 * change to a comment, a test or the README does not.
 */
import { build } from 'esbuild';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { canonicalJson } from '../ml/hashing/canonical-json';
import { sha256Hex } from '../ml/hashing/pipeline-key';
import { COMPUTE_STAGES } from '../pipeline/stage';

const ROOT = path.resolve(__dirname, '..', '..');

interface LockFile {
  packages: Record<string, { version?: string; dependencies?: Record<string, string> }>;
}

async function hashStage(stage: string, lock: LockFile): Promise<string> {
  const bundle = await build({
    absWorkingDir: ROOT,
    entryPoints: [`stages/${stage}.ts`],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'cjs',
    packages: 'external',
    minifyWhitespace: true,
    legalComments: 'none',
    metafile: true,
    logLevel: 'error',
  });
  const imported = Object.values(bundle.metafile.inputs).flatMap((input) => input.imports);
  const packages = imported.filter((i) => i.external === true).map((i) => packageName(i.path));
  const versions = [...withDependencies(packages, lock)].sort();
  const code = bundle.outputFiles[0]?.text ?? '';
  return sha256Hex(canonicalJson({ code, versions }));
}

/** `name@version` of the packages and of all that they depend on; Node's own modules are not in the lock file. */
function withDependencies(
  names: string[],
  lock: LockFile,
  seen = new Map<string, string>(),
): Iterable<string> {
  for (const name of names) {
    const entry = lock.packages[`node_modules/${name}`];
    if (entry?.version === undefined || seen.has(name)) continue;
    seen.set(name, `${name}@${entry.version}`);
    withDependencies(Object.keys(entry.dependencies ?? {}), lock, seen);
  }
  return seen.values();
}

function packageName(specifier: string): string {
  const parts = specifier.split('/');
  return specifier.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] ?? specifier);
}

async function main(): Promise<void> {
  const lock = JSON.parse(await readFile(path.join(ROOT, 'package-lock.json'), 'utf8')) as LockFile;
  const hashes = await Promise.all(COMPUTE_STAGES.map((stage) => hashStage(stage, lock)));
  const stages = Object.fromEntries(COMPUTE_STAGES.map((stage, i) => [stage, hashes[i] ?? '']));
  const combined = sha256Hex(canonicalJson(stages));
  await writeFile(
    path.join(ROOT, 'dist', 'stage-code.json'),
    `${JSON.stringify({ combined, stages }, null, 2)}\n`,
  );
}

void main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
