/** A shorter value is a word such as `true` or `debug`: hiding it would spoil a log, and guard nothing. */
const LEAST_CHARACTERS = 6;

/**
 * Hides the values of the variables that a container is given, in all that it says: its log, its progress, its errors. It guards against
 * a program that prints what it was given, and not against one that means to give it away.
 */
export class SecretMask {
  private readonly secrets: readonly string[];

  /** @param names of the variables that the container is given */
  constructor(names: readonly string[] | undefined, env: Readonly<Record<string, string | undefined>>) {
    const values = (names ?? []).flatMap((name) => formsOf(env[name] ?? ''));
    const found = new Set(values.filter((value) => value.length >= LEAST_CHARACTERS));
    // Longest first: a password may be part of the address that is hidden as well.
    this.secrets = [...found].sort((a, b) => b.length - a.length);
  }

  text(text: string): string {
    let clean = text;
    for (const secret of this.secrets) clean = clean.replaceAll(secret, '[secret]');
    return clean;
  }
}

/** A value as programs show it: whole, by line (a PEM file), as JSON has it, and of an address its password. */
function formsOf(value: string): string[] {
  const forms = [value, ...value.split('\n').map((line) => line.trim())];
  if (URL.canParse(value)) {
    const { password } = new URL(value);
    forms.push(password, decoded(password));
  }
  return forms.flatMap((form) => [form, JSON.stringify(form).slice(1, -1)]);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
