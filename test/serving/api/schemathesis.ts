import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** What schemathesis (https://schemathesis.readthedocs.io) made of an API. */
export interface Judged {
  /** 0: every answer was as the document says. */
  code: number;
  /** What it printed, with a command for each failure. */
  said: string;
  /** Requests that it thought of. */
  requests: number;
}

/** The model that is asked for, in paths. */
interface Asked {
  name: string;
  version: string;
}

/** 413: more rows than may be. */
const REFUSALS = '"400", "401", "403", "404", "405", "406", "409", "413", "415", "422", "429", "503"';

/** That two lists are of one length no JSON schema can say: here, a body that fits its schema may be refused. */
const UNSAYABLE = ['/invocations', '/v2/models/{name}/infer', '/v2/models/{name}/versions/{version}/infer']
  .map(
    (route) => `[[operations]]
include-path = "${route}"
checks.positive_data_acceptance.expected-statuses = ["2xx", "400", "404", "422", "503"]
`,
  )
  .join('\n');

const configOf = ({ name, version }: Asked): string => `[parameters]
name = "${name}"
version = "${version}"

[checks]
negative_data_rejection.expected-statuses = [${REFUSALS}]

${UNSAYABLE}`;

/**
 * Sends what an OpenAPI document allows, and what it does not, to the API that has it, and holds each answer against the document:
 * statuses, content types, schemas, that wrong bodies are refused and right ones taken.
 *
 * @param url of the API; its document is at /openapi.json
 * @param examples most requests of its own invention for each operation, beside those at the edges of what the document bounds
 */
export async function judge(
  url: string,
  model: Asked,
  examples: number,
  options: readonly string[] = [],
): Promise<Judged> {
  const folder = mkdtempSync(path.join(tmpdir(), 'schemathesis-'));
  const config = path.join(folder, 'schemathesis.toml');
  writeFileSync(config, configOf(model));
  const args = [
    ...['--config-file', config, 'run', `${url}/openapi.json`, '--phases', 'examples,coverage,fuzzing'],
    ...['--seed', '1', '--max-examples', String(examples), '--request-timeout', '20', '--no-color'],
    // One: with two, its Python 3.11 fails now and then as it reads its own source (SystemError: AST constructor recursion depth).
    ...['--workers', '1', '--continue-on-failure', '--no-shrink', '--generation-database', 'none'],
    ...['--suppress-health-check', 'all'],
    ...options,
  ];
  try {
    const { code, said } = await new Promise<{ code: number; said: string }>((resolve) => {
      const program = process.env['RETRAIN_TEST_SCHEMATHESIS'] ?? 'schemathesis';
      const most = { maxBuffer: 100_000_000, cwd: folder };
      const child = execFile(program, args, most, (_, stdout, stderr) =>
        resolve({ code: child.exitCode ?? -1, said: stdout + stderr }),
      );
    });
    return { code, said, requests: Number(/(\d+) generated/.exec(said)?.[1] ?? 0) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
