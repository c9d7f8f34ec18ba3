/**
 * Writes dist/cli.cjs, the command line in one file, and dist/cli.cjs.cache, V8's code cache of it: most of what a short command
 * takes is finding, reading and compiling some four hundred modules. bin/retrain runs both; without them it runs
 * dist/client/main.js, which does the same.
 */
import { spawnSync } from 'node:child_process';
import { isAscii } from 'node:buffer';
import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { createRequire, isBuiltin } from 'node:module';
import path from 'node:path';
import { build, type Plugin } from 'esbuild';

const ROOT = path.resolve(__dirname, '..', '..');
const DIST = path.join(ROOT, 'dist');
const BUNDLE = path.join(DIST, 'cli.cjs');

/**
 * Small packages that every command loads, and those that are ES modules only: code from V8's cache cannot import one. All others stay where
 * they are, and are loaded when they are needed.
 */
const BUNDLED = new Set([
  ...['commander', 'zod', 'yaml', 'picocolors', 'ignore', 'csv-parse', 'undici'],
  ...['hyparquet', 'hyparquet-writer'],
]);

const outside: Plugin = {
  name: 'other-packages-stay-outside',
  setup(builder) {
    builder.onResolve({ filter: /^[^./]/ }, ({ path: name, kind }) => {
      if (kind === 'entry-point') return undefined;
      const parts = name.split('/');
      const owner = name.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] ?? name);
      return BUNDLED.has(owner) ? undefined : { path: name, external: true };
    });
  },
};

/** A module finds the files beside it by where it was before it was bundled. */
const ownFolders: Plugin = {
  name: 'modules-keep-their-folders',
  setup(builder) {
    builder.onLoad({ filter: /\.js$/ }, async ({ path: file }) => {
      if (!file.startsWith(DIST + path.sep)) return undefined;
      const code = await readFile(file, 'utf8');
      const folder = JSON.stringify(path.relative(DIST, path.dirname(file)));
      const contents = code.replaceAll('__dirname', `require('node:path').join(__dirname, ${folder})`);
      return { contents, loader: 'js' };
    });
  },
};

/** @throws Error for an ES module, which `require` may not load without a warning: it has to be in the bundle */
async function requireRequirable(name: string): Promise<void> {
  if (isBuiltin(name) || name.startsWith('node:')) return;
  const file = createRequire(BUNDLE).resolve(name);
  if (file.endsWith('.cjs') || file.endsWith('.node') || file.endsWith('.json')) return;
  const { type } = JSON.parse(await readFile(packageFileOf(file), 'utf8')) as { type?: string };
  if (type === 'module') throw new Error(`${name} is an ES module: add it to BUNDLED`);
}

function packageFileOf(file: string): string {
  for (let folder = path.dirname(file); ; folder = path.dirname(folder)) {
    const found = path.join(folder, 'package.json');
    if (existsSync(found)) return found;
    if (folder === path.dirname(folder)) throw new Error(`${file} belongs to no package`);
  }
}

async function main(): Promise<void> {
  // A cache that is not of this very bundle must never be there.
  await rm(`${BUNDLE}.cache`, { force: true });
  const { metafile } = await build({
    entryPoints: [path.join(DIST, 'client', 'main.js')],
    outfile: BUNDLE,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    legalComments: 'none',
    // bin/retrain reads all of it on each start; names stay, for traces.
    minifyWhitespace: true,
    lineLimit: 200,
    logLevel: 'error',
    metafile: true,
    // A script out of V8's cache has forgotten how to import; a template would keep what is not ASCII.
    supported: { 'dynamic-import': false, 'template-literal': false },
    plugins: [outside, ownFolders],
  });
  // It is read as Latin-1, which takes a third of the time.
  if (!isAscii(await readFile(BUNDLE))) throw new Error('the bundled command line is not ASCII');
  const imports = Object.values(metafile.outputs).flatMap((output) => output.imports);
  for (const name of new Set(imports.map(({ path: name }) => name))) await requireRequirable(name);
  // --help loads the code of every command, so that the cache has all of it.
  const warm = spawnSync(process.execPath, [path.join(ROOT, 'bin', 'retrain'), '--help'], {
    env: { ...process.env, RETRAIN_WRITE_CODE_CACHE: '1' },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (warm.status !== 0) throw new Error('the bundled command line does not run');
}

void main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
