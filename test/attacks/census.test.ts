import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';

/** What is attacked, the table of it beside this file, and the least that has to be in it. */
const LEAST: Readonly<Record<string, number>> = {
  'containers.test.ts': 15, // params
  'sql.test.ts': 25, // params
  'triggers.test.ts': 30,
  'web-ui.test.ts': 14, // HTTP
  'data.test.ts': 20,
  'stage-outputs.test.ts': 20,
  'foreign-models.test.ts': 16, // registry
  'signature.test.ts': 15,
};

/** Rows of all tables of a suite: arrays that `describeAttacks` or `test.each` are given, by themselves or by a name, mapped or not. */
function rowsIn(file: string): number {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);
  const named = new Map<string, number>();
  let rows = 0;
  const size = (node: ts.Node | undefined): number => {
    if (node === undefined) return 0;
    if (ts.isArrayLiteralExpression(node)) {
      return node.elements.reduce(
        (sum, one) => sum + (ts.isSpreadElement(one) ? size(one.expression) : 1),
        0,
      );
    }
    if (ts.isIdentifier(node)) return named.get(node.text) ?? 0;
    const isMap =
      ts.isCallExpression(node) &&
      ts.isPropertyAccessExpression(node.expression) &&
      node.expression.name.text === 'map';
    return isMap ? size(node.expression.expression) : 0;
  };
  const visit = (node: ts.Node): void => {
    if (ts.isVariableDeclaration(node) && ts.isIdentifier(node.name)) {
      named.set(node.name.text, size(node.initializer));
    }
    if (ts.isCallExpression(node)) {
      const called = node.expression.getText(source);
      if (called === 'describeAttacks') rows += size(node.arguments[1]);
      if (called === 'test.each') rows += size(node.arguments[0]);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return rows;
}

test('every kind of attack has its table, and there are far more than 60 of them', () => {
  const counted = Object.fromEntries(
    readdirSync(__dirname)
      .filter((name) => name in LEAST)
      .map((name) => [name, rowsIn(path.join(__dirname, name))]),
  );
  for (const [name, least] of Object.entries(LEAST)) {
    expect({ name, enough: (counted[name] ?? 0) >= least, rows: counted[name] }).toMatchObject({
      enough: true,
    });
  }
  expect(Object.values(counted).reduce((sum, rows) => sum + rows, 0)).toBeGreaterThan(150);
});
