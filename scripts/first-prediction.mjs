// What `make demo` ends with: asks the stack's API for a prediction, as a user would, and prints the line that does the same.
import { readFileSync } from 'node:fs';
import path from 'node:path';

const state = path.resolve(process.env.RETRAIN_STATE_DIR || '.retrain');
const { api } = JSON.parse(readFileSync(path.join(state, 'stack.json'), 'utf8'));
if (!api) {
  console.error('The prediction API does not run; start it with: npx --no retrain up');
  process.exit(1);
}

async function ask(route, body) {
  const response = await fetch(`${api.uri}${route}`, {
    ...(body && { method: 'POST', headers: { 'content-type': 'application/json' }, body }),
    signal: AbortSignal.timeout(5_000),
  });
  return { ok: response.ok, text: await response.text() };
}

// The API looks for a first version twice a second.
const until = Date.now() + 15_000;
let info = await ask('/model/info');
while (!info.ok && Date.now() < until) {
  await new Promise((resolve) => setTimeout(resolve, 100));
  info = await ask('/model/info');
}
if (!info.ok) {
  console.error(`${api.uri} does not serve a model: ${JSON.parse(info.text).detail}`);
  process.exit(1);
}
const { example } = JSON.parse(info.text);
if (example.length === 0) {
  console.log(`${api.uri}/docs shows how to ask for a prediction.`);
  process.exit(0);
}
const body = JSON.stringify(example[0]);
const answer = await ask('/predict', body);
const quoted = body.replaceAll("'", `'\\''`);
console.log(`A prediction, from ${api.uri} (/ui shows the model, /docs the API):\n`);
console.log(`  curl -s ${api.uri}/predict -H 'content-type: application/json' -d '${quoted}'\n`);
console.log(`  ${answer.text}`);
process.exit(answer.ok ? 0 : 1);
