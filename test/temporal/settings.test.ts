import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { namesServer, temporalSettings } from '../../temporal/settings';
import type { StackFile } from '../../client/stack/stack-file';

const embedded: StackFile = {
  temporal: {
    address: '127.0.0.1:17233',
    uiUrl: 'http://127.0.0.1:18233',
    namespace: 'default',
    startedByUs: true,
  },
  mlflow: { uri: 'http://127.0.0.1:15000', startedByUs: true },
  taskQueue: 'retrain',
  worker: null,
  api: null,
};

/** A home without a temporal.toml, so that the machine's own does not count. */
const home = mkdtempSync(join(tmpdir(), 'retrain-home-'));
const bare = { HOME: home, XDG_CONFIG_HOME: home };

describe('temporalSettings', () => {
  it('falls back on the port and namespace that every Temporal tool assumes', () => {
    expect(temporalSettings(bare, null)).toEqual({
      address: '127.0.0.1:7233',
      namespace: 'default',
      uiUrl: 'http://127.0.0.1:8233',
      connection: { address: '127.0.0.1:7233' },
    });
  });

  it('takes the stack that is up before the default', () => {
    expect(temporalSettings(bare, embedded)).toMatchObject({
      address: '127.0.0.1:17233',
      uiUrl: 'http://127.0.0.1:18233',
    });
  });

  it('takes TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE before the stack', () => {
    const env = { ...bare, TEMPORAL_ADDRESS: 'temporal.example:7233', TEMPORAL_NAMESPACE: 'ml' };
    expect(temporalSettings(env, embedded)).toEqual({
      address: 'temporal.example:7233',
      namespace: 'ml',
      uiUrl: null,
      connection: { address: 'temporal.example:7233' },
    });
  });

  it('keeps an API key from a server of our own stack', () => {
    const env = { ...bare, TEMPORAL_API_KEY: 'k-123', TEMPORAL_TLS: 'true' };
    expect(temporalSettings(env, embedded).connection).toEqual({ address: '127.0.0.1:17233' });
  });

  it('turns TLS on for an API key', () => {
    const env = { ...bare, TEMPORAL_ADDRESS: 'ns.acct.tmprl.cloud:7233', TEMPORAL_API_KEY: 'k-123' };
    expect(temporalSettings(env, embedded)).toMatchObject({
      uiUrl: 'https://cloud.temporal.io',
      connection: { apiKey: 'k-123', tls: true },
    });
  });

  it('treats an empty variable as one that is not set', () => {
    expect(temporalSettings({ ...bare, TEMPORAL_ADDRESS: '' }, embedded).address).toBe('127.0.0.1:17233');
  });

  it("reads a profile of Temporal's own config file when TEMPORAL_PROFILE names it", () => {
    const file = join(home, 'profiles.toml');
    writeFileSync(file, '[profile.prod]\naddress = "prod.example:7233"\nnamespace = "prod"\n');
    const env = { ...bare, TEMPORAL_CONFIG_FILE: file, TEMPORAL_PROFILE: 'prod' };
    expect(temporalSettings(env, embedded)).toMatchObject({
      address: 'prod.example:7233',
      namespace: 'prod',
    });
  });

  it('says which profile is not there', () => {
    const file = join(home, 'none.toml');
    writeFileSync(file, '[profile.default]\naddress = "x:7233"\n');
    expect(() =>
      temporalSettings({ ...bare, TEMPORAL_CONFIG_FILE: file, TEMPORAL_PROFILE: 'prod' }, null),
    ).toThrow(/Profile 'prod' not found.*check the TEMPORAL_\* variables and temporal\.toml/);
  });

  it('takes the address of the Web UI from TEMPORAL_UI_URL', () => {
    const env = {
      ...bare,
      TEMPORAL_ADDRESS: 'temporal.example:7233',
      TEMPORAL_UI_URL: 'https://ui.example/',
    };
    expect(temporalSettings(env, null).uiUrl).toBe('https://ui.example');
  });
});

describe('namesServer', () => {
  it('is true for an address or a profile, so that no server is started', () => {
    expect(namesServer({ TEMPORAL_ADDRESS: 'x:7233' })).toBe(true);
    expect(namesServer({ TEMPORAL_PROFILE: 'prod' })).toBe(true);
    expect(namesServer({ TEMPORAL_NAMESPACE: 'ml', TEMPORAL_ADDRESS: '' })).toBe(false);
  });
});
