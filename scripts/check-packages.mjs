// Checks what package-lock.json brings along: that every package's licence is one that we may ship, and that none runs a script when it is
// installed whose absence nobody has looked at. Needs no network and no node_modules.
//
// usage: node scripts/check-packages.mjs [package-lock.json]     exit code 1 and a line for each package that does not pass
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** SPDX names of licences that ask for no more than to be named. */
const ALLOWED = new Set([
  ...['MIT', 'MIT-0', 'ISC', 'Zlib', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD', 'BlueOak-1.0.0'],
  ...['CC0-1.0', 'Unlicense'],
]);

/** Packages whose package.json has no SPDX name, or another one, with what their licence file says; by name. */
const LOOKED_AT = {
  buildcheck: 'MIT',
  'cpu-features': 'MIT',
  ssh2: 'MIT',
  unionfs: 'Unlicense',
  // Data, not code, about browsers: of webpack, which bundles workflows; none of it gets into a bundle.
  'caniuse-lite': 'CC-BY-4.0',
};

/** Packages with install scripts, and why they work without: `npm ci --ignore-scripts` runs none. */
const WITHOUT_SCRIPT = {
  '@parcel/watcher': 'its binary is a package of its own',
  '@photostructure/sqlite': 'its binaries are in the package',
  '@swc/core': 'its binary is a package of its own',
  'cpu-features': 'optional: ssh2 picks its ciphers without',
  esbuild: 'its binary is a package of its own',
  koffi: 'its binaries are in the package',
  'onnxruntime-node': 'the script fetches CUDA; the binary for CPUs is in the package',
  protobufjs: 'the script compares version numbers',
  ssh2: 'the script builds a faster cipher; the one of Node does',
};

const lockFile =
  process.argv[2] ?? path.join(path.dirname(fileURLToPath(import.meta.url)), '..', 'package-lock.json');
const { packages } = JSON.parse(readFileSync(lockFile, 'utf8'));

/** Whether an SPDX expression, of names, AND, OR and brackets, can be met by what is allowed. */
function isAllowed(expression) {
  const tokens = expression.match(/\(|\)|[^\s()]+/g) ?? [];
  const either = () => {
    let met = both();
    while (tokens[0] === 'OR') {
      tokens.shift();
      met = both() || met;
    }
    return met;
  };
  const both = () => {
    let met = one();
    while (tokens[0] === 'AND') {
      tokens.shift();
      met = one() && met;
    }
    return met;
  };
  const one = () => {
    const token = tokens.shift();
    if (token !== '(') return ALLOWED.has(token);
    const met = either();
    tokens.shift();
    return met;
  };
  return either() && tokens.length === 0;
}

const complaints = [];
let looked = 0;
for (const [place, { license, hasInstallScript, link, version }] of Object.entries(packages)) {
  if (place === '' || link === true) continue;
  looked++;
  const name = place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length);
  if (!Object.hasOwn(LOOKED_AT, name) && !isAllowed(license ?? ''))
    complaints.push(
      `${name} ${version}: its licence is ${license ?? 'not named'}; allow it in scripts/check-packages.mjs, or use another package`,
    );
  if (hasInstallScript === true && !Object.hasOwn(WITHOUT_SCRIPT, name))
    complaints.push(
      `${name} ${version}: runs a script when it is installed, and we install without; see that it works, and enter it in scripts/check-packages.mjs`,
    );
}
for (const complaint of complaints) console.error(`error: ${complaint}`);
if (complaints.length === 0)
  console.log(`${looked} packages: licences and install scripts are as they should be`);
process.exitCode = complaints.length === 0 ? 0 : 1;
