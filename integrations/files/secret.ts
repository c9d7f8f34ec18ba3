import { inspect } from 'node:util';

/** A value that must not be shown: `String()`, `util.inspect`, JSON and loggers get `[secret]`. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The value itself: for the request that needs it and for nothing else. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }

  [inspect.custom](): string {
    return '[secret]';
  }
}

/** A text of another’s making on one line of at most 200 characters, with the secrets in it masked. */
export function masked(text: string, secrets: readonly string[]): string {
  let clean = text;
  // Longest first: a password may be part of the URL that is masked as well.
  for (const secret of [...secrets].sort((a, b) => b.length - a.length)) {
    if (secret.length >= 4) clean = clean.replaceAll(secret, '[secret]');
  }
  const line = clean.replace(/\s+/g, ' ').trim();
  return line.length <= 200 ? line : `${line.slice(0, 199)}…`;
}
