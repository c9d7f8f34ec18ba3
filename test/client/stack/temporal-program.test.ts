import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentProgress } from '../../../client/stack/progress';
import { ensureTemporal, findTemporal } from '../../../client/stack/temporal-program';
import { RetrainError } from '../../../contracts/errors';

/** Stands in for programs that take minutes to build: scripts that print what the real ones print. */
function script(dir: string, name: string, body: string): string {
  mkdirSync(dir, { recursive: true });
  const path = join(dir, name);
  writeFileSync(path, `#!/bin/sh\n${body}\n`);
  chmodSync(path, 0o755);
  return path;
}

const says = (version: string, server: string): string =>
  `echo 'temporal version ${version} (Server ${server}, UI 2.42.1)'`;

/** A machine of its own: nothing on the PATH but what the test puts there and the shell. */
function machine(): { bin: string; cache: string; env: Record<string, string> } {
  const dir = mkdtempSync(join(tmpdir(), 'retrain-machine-'));
  const [bin, cache] = [join(dir, 'bin'), join(dir, 'cache')];
  mkdirSync(bin);
  // A proxy that nobody runs: the download fails at once, wherever the test runs.
  const env = {
    ...{ PATH: bin, RETRAIN_TOOLS_DIR: cache, HOME: dir, TMPDIR: dir },
    HTTPS_PROXY: 'http://127.0.0.1:9',
  };
  return { bin, cache, env };
}

const installed = (cache: string, body: string): void => {
  script(join(cache, 'temporal-1.5.1'), 'temporal', body);
  writeFileSync(join(cache, 'temporal-1.5.1', '.complete'), '');
};

describe('findTemporal', () => {
  it('takes the program on the PATH first', async () => {
    const { bin, cache, env } = machine();
    installed(cache, says('1.5.1', '1.29.1'));
    const path = script(bin, 'temporal', says('1.6.0', '1.30.0'));
    expect(await findTemporal(env)).toEqual({ path, version: '1.6.0 (server 1.30.0)', origin: 'PATH' });
  });

  it('passes over one that is too old, or does not run', async () => {
    const { bin, cache, env } = machine();
    installed(cache, says('1.5.1', '1.29.1'));
    script(bin, 'temporal', says('0.10.0', '1.20.1'));
    expect(await findTemporal(env)).toMatchObject({ origin: 'cache', version: '1.5.1 (server 1.29.1)' });
    script(bin, 'temporal', 'exit 1');
    expect(await findTemporal(env)).toMatchObject({ origin: 'cache' });
  });

  it("takes what Temporal's SDK has downloaded, unless others may have changed it", async () => {
    const { env } = machine();
    const path = script(env['TMPDIR']!, 'temporal-sdk-typescript-1.24.0', says('1.4.1', '1.28.0'));
    expect(await findTemporal(env)).toEqual({ path, version: '1.4.1 (server 1.28.0)', origin: 'SDK cache' });
    chmodSync(path, 0o777);
    expect(await findTemporal(env)).toBeNull();
  });

  it('finds nothing where there is nothing', async () => {
    expect(await findTemporal(machine().env)).toBeNull();
  });
});

describe('ensureTemporal', () => {
  it('builds with Go where the download cannot be reached', async () => {
    const { bin, cache, env } = machine();
    // Writes the program to where GOBIN says, as `go install` does, and its arguments beside it.
    script(
      bin,
      'go',
      `echo "$@" > "$GOBIN/arguments"; printf '#!/bin/sh\\n${says('1.5.1', '1.29.1').replaceAll("'", '"')}\\n' > "$GOBIN/temporal"`,
    );
    const program = await ensureTemporal(env, silentProgress);
    expect(program).toMatchObject({ origin: 'cache', version: '1.5.1 (server 1.29.1)' });
    expect(readFileSync(join(cache, 'temporal-1.5.1', 'arguments'), 'utf8')).toContain(
      'github.com/temporalio/cli/cmd/temporal@v1.5.1',
    );
  });

  it('says how to get it where nothing works, and leaves nothing half done', async () => {
    const { cache, env } = machine();
    const failure = ensureTemporal(env, silentProgress);
    await expect(failure).rejects.toThrow(
      /its download failed \(.+\) and there is no Go.*put `temporal` on the PATH.*install Go.*set TEMPORAL_ADDRESS/,
    );
    await expect(failure).rejects.toBeInstanceOf(RetrainError);
    expect(existsSync(join(cache, 'temporal-1.5.1'))).toBe(false);
  });

  it('quotes the log of a build that fails', async () => {
    const { bin, env } = machine();
    script(bin, 'go', 'echo "go: module lookup disabled" >&2; exit 1');
    await expect(ensureTemporal(env, silentProgress)).rejects.toThrow(/module lookup disabled/);
  });
});
