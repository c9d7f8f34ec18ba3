import { JSON_OUTPUT, type JsonCommand, JsonError } from '../../contracts/json-output';

/**
 * Holds what a command printed with --json against docs/json.md's schema of it. Whatever suite calls a command, its output is
 * checked.
 *
 * @throws for another shape
 */
export function requireJsonShape(args: readonly string[], stdout: string): void {
  if (!args.includes('--json') || stdout.trim() === '') return;
  const command = [args.slice(0, 2).join(' '), args[0] ?? ''].find((name) => name in JSON_OUTPUT);
  if (command === undefined) throw new Error(`${args.join(' ')} is not in contracts/json-output`);
  const printed: unknown = JSON.parse(stdout);
  const schema = JsonError.safeParse(printed).success ? JsonError : JSON_OUTPUT[command as JsonCommand];
  const { error } = schema.safeParse(printed);
  if (error === undefined) return;
  throw new Error(
    `retrain ${args.join(' ')} printed another shape than contracts/json-output has: ${error.message}`,
  );
}
