import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Command } from 'commander';
import { type CommandModule } from '../../client/command';
import { documentedCommands, type DocumentedCommand } from './documented-commands';

// All commands are loaded, which takes a second where nothing else is done.
jest.setTimeout(60_000);

const ROOT = path.resolve(__dirname, '..', '..');
const COMMANDS = path.join(ROOT, 'client', 'commands');

/** Pages whose commands somebody types. */
const PAGES = [
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  ...readdirSync(path.join(ROOT, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
  ...readdirSync(path.join(ROOT, 'examples'))
    .map((name) => `examples/${name}/README.md`)
    .filter((name) => readable(name)),
];

function readable(name: string): boolean {
  try {
    readFileSync(path.join(ROOT, name));
    return true;
  } catch {
    return false;
  }
}

/** A program with every command, as `client/main.ts` puts it together, that runs none. */
async function program(): Promise<Command> {
  const whole = new Command('retrain').exitOverride();
  for (const file of readdirSync(COMMANDS)) {
    const module = (await import(path.join(COMMANDS, file))) as Record<string, CommandModule>;
    for (const command of Object.values(module)) command.define(whole);
  }
  return whole;
}

/** What is wrong with a command as it is written; null: nothing. */
function mistakeIn(whole: Command, { words }: DocumentedCommand): string | null {
  let command = whole;
  let rest = [...words];
  for (;;) {
    const next = command.commands.find((one) => one.name() === rest[0]);
    if (next === undefined) break;
    command = next;
    rest = rest.slice(1);
  }
  if (command === whole) {
    if (rest[0] === undefined || /^(--?[a-zA-Z]+|…|COMMAND)$/.test(rest[0])) return null;
    return `there is no command ${rest[0]}`;
  }
  if (command.commands.length > 0 && rest[0] !== undefined && !rest[0].startsWith('-'))
    return `there is no ${command.name()} ${rest[0]}`;
  const known = new Set([
    '--help',
    '-h',
    ...command.options.flatMap(({ long, short, negate }) => [
      ...(long == null ? [] : [long]),
      ...(short == null ? [] : [short]),
      ...(negate && long != null ? [long.replace('--no-', '--')] : []),
    ]),
  ]);
  let given = 0;
  for (let at = 0; at < rest.length; at++) {
    const [word = '', value] = (rest[at] ?? '').split(/=(.*)/s);
    if (!/^--?[a-z]/.test(word)) {
      if (word !== '…') given += 1;
      continue;
    }
    if (!known.has(word)) return `${command.name()} has no option ${word}`;
    const option = command.options.find(({ long, short }) => long === word || short === word);
    const takes = option?.required === true || option?.optional === true;
    if (!takes || value !== undefined) continue;
    const following = rest[at + 1];
    if (following !== undefined && !following.startsWith('--')) at += 1;
  }
  const { registeredArguments } = command;
  const most = registeredArguments.some(({ variadic }) => variadic) ? Infinity : registeredArguments.length;
  return given > most ? `${command.name()} takes ${most} arguments, and ${given} are given` : null;
}

test('each command of the documentation is one of the product, with options that it has', async () => {
  const whole = await program();
  const found = PAGES.flatMap((page) =>
    documentedCommands(page, readFileSync(path.join(ROOT, page), 'utf8')),
  );
  // Fewer would mean that they are no longer found, and that this looks at nothing.
  expect(found.length).toBeGreaterThan(110);
  const mistakes = found.flatMap((one) => {
    const mistake = mistakeIn(whole, one);
    return mistake === null ? [] : [`${one.page}:${one.line}: ${one.text}: ${mistake}`];
  });
  expect(mistakes).toEqual([]);
});

test.each([
  ['retrain predict data.csv --model m --oit out.csv', 'has no option --oit'],
  ['retrain tune', 'no command tune'],
  ['retrain schedule stop nightly', 'no schedule stop'],
  ['retrain cancel one two', 'takes 1 argument'],
  ['retrain rollback MODEL --reason "scores fell"', null],
  ['retrain data status', null],
])('a mistake in %s would be seen: %s', async (text, mistake) => {
  const [one] = documentedCommands('page', `\`${text}\``);
  const seen = mistakeIn(await program(), one!);
  if (mistake === null) expect(seen).toBeNull();
  else expect(seen).toContain(mistake);
});
