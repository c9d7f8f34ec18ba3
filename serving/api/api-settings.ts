import { readFileSync } from 'node:fs';
import path from 'node:path';
import { RetrainError } from '../../contracts/errors';
import { type Environment } from '../../integrations/files/dot-env';
import { type ApiSettings, DEFAULT_API } from './settings';

/** What the command line says; it wins over the environment. */
export interface ApiFlags {
  host?: string;
  port?: string;
  allowedHosts?: string;
}

/**
 * Reads RETRAIN_API_*.
 *
 * @param project folder that files are relative to
 * @throws RetrainError CONFIG_INVALID, USAGE
 */
export function apiSettings(project: string, env: Environment, flags: ApiFlags = {}): ApiSettings {
  const read = (name: string): string | undefined => env[name] || undefined;
  return {
    ...DEFAULT_API,
    host: flags.host ?? read('RETRAIN_API_HOST') ?? DEFAULT_API.host,
    port:
      flags.port !== undefined
        ? port('--port', flags.port)
        : port('RETRAIN_API_PORT', env['RETRAIN_API_PORT'] || String(DEFAULT_API.port)),
    allowedHosts: words(flags.allowedHosts ?? env['RETRAIN_API_ALLOWED_HOSTS']),
    bodyLimit: whole('RETRAIN_API_MAX_BODY', env['RETRAIN_API_MAX_BODY'], DEFAULT_API.bodyLimit, 1 << 30),
    rowLimit: whole('RETRAIN_API_MAX_ROWS', env['RETRAIN_API_MAX_ROWS'], DEFAULT_API.rowLimit, 1_000_000),
    rateLimit: env['RETRAIN_API_RATE_LIMIT']
      ? whole('RETRAIN_API_RATE_LIMIT', env['RETRAIN_API_RATE_LIMIT'], 1, 1_000_000)
      : null,
    keys: keys(project, env['RETRAIN_API_KEYS_FILE'], env['RETRAIN_API_KEYS']),
    adminToken: env['RETRAIN_API_ADMIN_TOKEN'] || null,
    tls: tls(project, env['RETRAIN_API_TLS_CERT'], env['RETRAIN_API_TLS_KEY']),
  };
}

const words = (text: string | undefined): string[] =>
  (text ?? '').split(/[\s,]+/).filter((word) => word !== '');

function port(name: string, text: string): number {
  const value = Number(text);
  if (/^\d{1,5}$/.test(text) && value <= 65_535) return value;
  throw new RetrainError('USAGE', `${name} must be a port from 0 to 65535, got ${text.slice(0, 40)}`);
}

function whole(name: string, text: string | undefined, otherwise: number, most: number): number {
  if (text === undefined || text === '') return otherwise;
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= most) return value;
  throw new RetrainError(
    'CONFIG_INVALID',
    `${name} must be a whole number from 1 to ${most}, got ${text.slice(0, 40)}`,
  );
}

/** A key on each line, or between commas: `name:key`, or only the key, which then is known by its place. */
function keys(project: string, file: string | undefined, given: string | undefined): ApiSettings['keys'] {
  const text = file ? contentOf(project, 'RETRAIN_API_KEYS_FILE', file) : (given ?? '');
  const lines = text
    .split(/[\n,]/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  const found = lines.map((line, at) => {
    const [, name = `key ${at + 1}`, key = line] = /^([\w.-]+):(.+)$/.exec(line) ?? [];
    if (key.trim().length >= SHORTEST_KEY) return { name, key: key.trim() };
    throw new RetrainError(
      'CONFIG_INVALID',
      `the API key ${name} has ${key.trim().length} characters, expected at least ${SHORTEST_KEY}; make one with: openssl rand -base64 24`,
    );
  });
  if (file && found.length === 0)
    throw new RetrainError(
      'CONFIG_INVALID',
      `RETRAIN_API_KEYS_FILE names ${file}, which holds no key; write one on each line, as name:key`,
    );
  return found;
}

const SHORTEST_KEY = 16;

function tls(project: string, cert: string | undefined, key: string | undefined): ApiSettings['tls'] {
  if (!cert && !key) return null;
  if (!cert || !key)
    throw new RetrainError(
      'CONFIG_INVALID',
      'RETRAIN_API_TLS_CERT and RETRAIN_API_TLS_KEY belong together: name both PEM files, or neither',
    );
  return {
    cert: contentOf(project, 'RETRAIN_API_TLS_CERT', cert),
    key: contentOf(project, 'RETRAIN_API_TLS_KEY', key),
  };
}

function contentOf(project: string, name: string, file: string): string {
  try {
    return readFileSync(path.resolve(project, file), 'utf8');
  } catch (cause) {
    throw new RetrainError(
      'CONFIG_INVALID',
      `${name} names ${file}, which cannot be read: ${(cause as Error).message}`,
      { cause },
    );
  }
}
