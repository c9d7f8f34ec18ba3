import { Document, isScalar, visit, type Node } from 'yaml';

/**
 * What Python’s ruamel.yaml, with which DVC reads, takes for something else than a string although YAML 1.2’s core schema
 * doesn’t: numbers with underscores, binary numbers, dates, merge and value keys.
 */
const NOT_A_STRING_IN_PYTHON = [
  /^[-+]?0b[01_]+$/,
  /^[-+]?0o?[0-7_]+$/,
  /^[-+]?[0-9][0-9_]*$/,
  /^[-+]?0x[0-9a-fA-F_]+$/,
  /^[-+]?[0-9][0-9_]*\.[0-9_]*([eE][-+]?[0-9]+)?$/,
  /^[-+]?[0-9][0-9_]*[eE][-+]?[0-9]+$/,
  /^[-+]?\.[0-9_]+([eE][-+][0-9]+)?$/,
  /^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ].*)?$/,
  /^(<<|=)$/,
];

/** Layout of the files that DVC writes: no folding, lists not indented below their key, nothing for null. */
const LAYOUT = { lineWidth: 0, indentSeq: false, nullStr: '' } as const;

/** A value as YAML that DVC reads back as the same value. */
export function toYaml(value: unknown): string {
  const document = new Document(value, { aliasDuplicateObjects: false });
  quoteForPython(document.contents);
  return document.toString(LAYOUT);
}

/**
 * A document with its comments, in the layout of the text that it came from: how far it indents, and whether lists are
 * indented below their key.
 */
export function documentText(document: Document.Parsed, original: string): string {
  const indent = /^( +)[^\s#-]/m.exec(original)?.[1]?.length ?? 2;
  const list = /^( *)[^\s#-][^\n]*:[ \t]*(?:#[^\n]*)?\n( *)- /m.exec(original);
  return document.toString({
    ...LAYOUT,
    indent,
    indentSeq: list !== null && list[2]!.length > list[1]!.length,
  });
}

/** A value as a node of a document, with quotes where Python needs them. */
export function toNode(document: Document.Parsed, value: unknown): Node {
  const node = document.createNode(value, { aliasDuplicateObjects: false }) as Node;
  quoteForPython(node);
  return node;
}

function quoteForPython(node: Node | null): void {
  visit(node, {
    Scalar(_key, scalar) {
      const { value } = scalar;
      if (
        isScalar(scalar) &&
        typeof value === 'string' &&
        NOT_A_STRING_IN_PYTHON.some((form) => form.test(value))
      ) {
        scalar.type = 'QUOTE_SINGLE';
      }
    },
  });
}
