import { z } from 'zod';
import { JSON_OUTPUT, JsonError } from '../contracts/json-output';
import { TrainingResult } from '../contracts/run';
import { LedgerEntry } from '../contracts/steward';

interface Shape {
  $ref?: string;
  type?: string | string[];
  description?: string;
  const?: unknown;
  enum?: unknown[];
  anyOf?: Shape[];
  oneOf?: Shape[];
  items?: Shape;
  prefixItems?: Shape[];
  properties?: Record<string, Shape>;
  additionalProperties?: Shape | boolean;
  required?: string[];
}

/** Shapes that several commands share, by the name under which the page tells them once. */
const SHARED: readonly (readonly [title: string, schema: z.ZodType])[] = [
  ['Result of a run', TrainingResult],
  ['Entry of the ledger', LedgerEntry],
];

/** docs/json.md: what each command prints with `--json`. */
export function jsonPage(): string {
  return [
    '# Output for machines',
    '',
    'What each command prints with `--json`: one object on stdout, on one line. Progress and warnings go to stderr. Made from the schemas by',
    '`npm run docs`; do not edit. Keys may be added; those that are here keep their meaning. A key with `?` may be absent.',
    '',
    'A command that fails prints this instead, and ends with the exit code of its kind ([errors.md](errors.md)):',
    '',
    ...table(JsonError),
    ...Object.entries(JSON_OUTPUT).flatMap(([command, schema]) => [
      `## retrain ${command} --json`,
      '',
      ...(schema instanceof z.ZodUnion
        ? schema.options.flatMap((option) => {
            const shape = shapeOf(option);
            return [shape.description === undefined ? 'Else:' : `${shape.description}`, '', ...table(option)];
          })
        : table(schema)),
    ]),
    ...SHARED.flatMap(([title, schema]) => [`## ${title}`, '', ...table(schema)]),
  ].join('\n');
}

function shapeOf(schema: z.core.$ZodType): Shape {
  return z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', reused: 'inline' }) as Shape;
}

function table(schema: z.core.$ZodType): string[] {
  const rows = rowsOf(shapeOf(schema), '');
  return ['| key | type | meaning |', '|---|---|---|', ...rows, ''];
}

const shared = new Map(SHARED.map(([title, schema]) => [keysOf(shapeOf(schema)), title]));

function keysOf({ properties = {} }: Shape): string {
  return Object.keys(properties).join(' ');
}

/** The title of what is told elsewhere on the page. */
function titleOf(shape: Shape): string | undefined {
  if (shape.properties === undefined) return undefined;
  if ('experiment' in shape.properties && 'preprocess' in shape.properties) return 'params';
  return shared.get(keysOf(shape));
}

function rowsOf({ properties = {}, required = [] }: Shape, prefix: string): string[] {
  return Object.entries(properties).flatMap(([name, member]): string[] => {
    const key = `${prefix}${name}`;
    const optional = required.includes(name) ? '' : '?';
    const row = `| \`${key}\`${optional} | ${cell(typeOf(member))} | ${cell(meaningOf(member))} |`;
    const below = innerOf(member);
    if (below === undefined || titleOf(below.shape) !== undefined) return [row];
    return [row, ...rowsOf(below.shape, `${key}${below.mark}.`)];
  });
}

/** The object that a value is, or is a list of, whose keys get lines of their own. */
function innerOf(shape: Shape): { shape: Shape; mark: string } | undefined {
  const some = present(shape);
  const object = merged(some);
  if (object !== undefined) return { shape: object, mark: '' };
  const [one, ...others] = some;
  if (one?.items === undefined || others.length > 0) return undefined;
  const item = merged(present(one.items));
  return item === undefined ? undefined : { shape: item, mark: '[]' };
}

/** One object that has the keys of all; what not all have is optional. Undefined: not all are objects. */
function merged(shapes: readonly Shape[]): Shape | undefined {
  const [first, ...others] = shapes;
  if (first?.properties === undefined) return undefined;
  if (others.length === 0) return first;
  if (others.some(({ properties }) => properties === undefined)) return undefined;
  return {
    properties: Object.assign({}, ...shapes.map(({ properties }) => properties)) as Record<string, Shape>,
    required: (first.required ?? []).filter((key) =>
      others.every(({ required = [] }) => required.includes(key)),
    ),
  };
}

/** What it may be, beside null. */
function present(shape: Shape): Shape[] {
  const any = shape.anyOf ?? shape.oneOf;
  return any === undefined ? [shape] : any.filter(({ type }) => type !== 'null').flatMap(present);
}

const meaningOf = (shape: Shape): string =>
  shape.description ??
  (shape.anyOf ?? []).map((one) => one.description ?? '').find((text) => text !== '') ??
  '';

function typeOf(shape: Shape): string {
  const any = shape.anyOf ?? shape.oneOf;
  if (any !== undefined) return [...new Set(any.map(typeOf))].join(' or ');
  if (shape.const !== undefined) return `\`${JSON.stringify(shape.const)}\``;
  if (shape.enum !== undefined) return shape.enum.map((value) => `\`${String(value)}\``).join(', ');
  const title = titleOf(shape);
  if (title === 'params') return '[params.yaml](params.md), resolved';
  if (title !== undefined) return `[${title.toLowerCase()}](#${title.toLowerCase().replaceAll(' ', '-')})`;
  if (shape.prefixItems !== undefined) return `[${shape.prefixItems.map(typeOf).join(', ')}]`;
  if (shape.type === 'array') return `list of ${typeOf(shape.items ?? {})}`;
  if (shape.type === 'object' && shape.properties === undefined) {
    const values = shape.additionalProperties;
    return `mapping of name to ${typeof values === 'object' ? typeOf(values) : 'anything'}`;
  }
  return shape.type === undefined ? 'anything' : [shape.type].flat().join(' or ');
}

const cell = (text: string): string => text.replaceAll('|', '\\|');
