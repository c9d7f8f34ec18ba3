// node images/pick-packages.mjs DEST FOLDER…: copies dist/<folder> and the packages that its code imports, with their
// dependencies, to DEST. Of packages that carry binaries for every platform, this platform's stay.
import { build } from 'esbuild';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const [dest, ...folders] = process.argv.slice(2);
const { packages: locked } = JSON.parse(readFileSync('package-lock.json', 'utf8'));

const scripts = folders.flatMap((folder) =>
  readdirSync(join('dist', folder), { recursive: true })
    .filter((name) => name.endsWith('.js'))
    .map((name) => join('dist', folder, name)),
);
const { metafile } = await build({
  entryPoints: scripts,
  bundle: true,
  write: false,
  outdir: 'unused',
  platform: 'node',
  packages: 'external',
  metafile: true,
  logLevel: 'error',
});

const picked = new Set();
for (const { imports } of Object.values(metafile.inputs)) {
  for (const { external, path } of imports) if (external) pick(packageName(path), '');
}
for (const folder of folders) cpSync(join('dist', folder), join(dest, 'dist', folder), { recursive: true });
for (const folder of picked) cpSync(folder, join(dest, folder), { recursive: true });
for (const [folder, mine] of Object.entries({
  'node_modules/onnxruntime-node/bin/napi-v6': process.platform,
  [`node_modules/onnxruntime-node/bin/napi-v6/${process.platform}`]: process.arch,
  'node_modules/@temporalio/core-bridge/releases': { x64: 'x86_64', arm64: 'aarch64' }[process.arch],
})) {
  const there = join(dest, folder);
  if (!existsSync(there)) continue;
  for (const name of readdirSync(there)) {
    const keep = name === mine || (name.startsWith(`${mine}-`) && name.includes(process.platform));
    if (!keep) rmSync(join(there, name), { recursive: true });
  }
}
mkdirSync(join(dest, 'node_modules'), { recursive: true });

/** Adds an installed package and what it depends on; looks beside its user first, then further up, as Node does. */
function pick(name, user) {
  for (let from = user; ; from = from.slice(0, Math.max(0, from.lastIndexOf('/node_modules/')))) {
    const folder = `${from === '' ? '' : `${from}/`}node_modules/${name}`;
    const entry = locked[folder];
    if (entry !== undefined && existsSync(folder)) {
      if (picked.has(folder)) return;
      picked.add(folder);
      const { dependencies, optionalDependencies, peerDependencies } = entry;
      for (const needed of Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies }))
        pick(needed, folder);
      return;
    }
    if (from === '') return;
  }
}

function packageName(specifier) {
  const parts = specifier.split('/');
  return specifier.startsWith('@') ? parts.slice(0, 2).join('/') : parts[0];
}
