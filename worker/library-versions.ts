import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** What takes part in computing: a model's bytes may depend on them. */
const LIBRARIES = ['@duckdb/node-api', 'onnxruntime-node', 'ml-random-forest'] as const;

/** Versions of Node, of the machine's kind, and of the libraries that compute, by name. */
export function libraryVersions(): Record<string, string> {
  return {
    node: process.versions.node,
    v8: process.versions.v8,
    platform: `${process.platform}-${process.arch}`,
    ...Object.fromEntries(
      LIBRARIES.flatMap((name) => {
        const version = versionOf(name);
        return version === undefined ? [] : [[name, version]];
      }),
    ),
  };
}

/** Read from its package.json, which a package need not let others import. */
function versionOf(name: string): string | undefined {
  const file = (require.resolve.paths(name) ?? [])
    .map((folder) => path.join(folder, name, 'package.json'))
    .find((candidate) => existsSync(candidate));
  if (file === undefined) return undefined;
  return (JSON.parse(readFileSync(file, 'utf8')) as { version?: string }).version;
}

/** Version of retrain. */
export function productVersion(): string {
  const file = ['..', '../..']
    .map((up) => path.resolve(__dirname, up, 'package.json'))
    .find((candidate) => existsSync(candidate));
  return file === undefined
    ? 'unknown'
    : ((JSON.parse(readFileSync(file, 'utf8')) as { version?: string }).version ?? 'unknown');
}
