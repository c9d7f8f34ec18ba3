import { Command } from 'commander';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { type CommandModule } from '../../client/command';
import { JSON_OUTPUT } from '../../contracts/json-output';
import { requireJsonShape } from './json-shapes';

const ROOT = path.resolve(__dirname, '../..');

/** Every command of the CLI that takes --json, as it is typed. */
async function jsonCommands(): Promise<string[]> {
  const program = new Command('retrain');
  const folder = path.join(ROOT, 'client/commands');
  for (const file of readdirSync(folder)) {
    const module = (await import(path.join(folder, file))) as Record<string, CommandModule>;
    for (const one of Object.values(module)) one.define(program);
  }
  const found: string[] = [];
  const visit = (command: Command, typed: string[]): void => {
    if (command.options.some(({ long }) => long === '--json')) found.push(typed.join(' '));
    for (const below of command.commands) visit(below, [...typed, below.name()]);
  };
  visit(program, []);
  return found;
}

test('every command with --json has a schema and a section of docs/json.md, and there are no others', async () => {
  const commands = await jsonCommands();
  expect(commands.length).toBeGreaterThan(25);
  expect(Object.keys(JSON_OUTPUT).sort()).toEqual(commands.sort());
  const page = readFileSync(path.join(ROOT, 'docs/json.md'), 'utf8');
  for (const command of commands) expect(page).toContain(`## retrain ${command} --json\n`);
});

test('no command prints JSON that is not declared', () => {
  const sources = readdirSync(path.join(ROOT, 'client'), { recursive: true, encoding: 'utf8' });
  const printing = sources.filter(
    (file) =>
      file.endsWith('.ts') &&
      /screen\.out\(\s*JSON\.stringify/.test(readFileSync(path.join(ROOT, 'client', file), 'utf8')),
  );
  expect(printing.sort()).toEqual(['main.ts', 'terminal/print-json.ts']);
});

test('the judge that suites use refuses another shape', () => {
  const down = ['down', '--json'];
  expect(() => requireJsonShape(down, '{"stopped":[],"durationMs":1}')).not.toThrow();
  expect(() => requireJsonShape(down, '{"error":{"code":"USAGE","message":"x"}}')).not.toThrow();
  expect(() => requireJsonShape(down, '{"stopped":[],"durationMs":1,"more":2}')).toThrow(/more/);
  expect(() => requireJsonShape(down, '{"stopped":[]}')).toThrow(/durationMs/);
  expect(() => requireJsonShape(['data', 'nothing', '--json'], '{}')).toThrow(/is not in/);
});
