/** A command of ours in a page of the documentation. */
export interface DocumentedCommand {
  page: string;
  /** From 1. */
  line: number;
  /** As it is written. */
  text: string;
  /** What follows `retrain`. */
  words: string[];
}

/** A piece of code of a page. */
export interface DocumentedCode {
  line: number;
  code: string;
  /** Whether it is a line of a block, and not within a sentence. */
  isBlock: boolean;
}

/** What ends a command in a shell's line, or begins what is said of it. */
const END = /^([|<>#;→(]|2>)/;

/** Code of a page: between backquotes, also over the end of a line, and each line of a block. */
export function documentedCode(markdown: string): DocumentedCode[] {
  const found: DocumentedCode[] = [];
  /** Language of the block that goes on; null: none does. */
  let fence: string | null = null;
  const prose = markdown.split('\n').map((line, at) => {
    const language = /^\s*(?:```|~~~)(\w*)/.exec(line)?.[1];
    if (language !== undefined) fence = fence === null ? language : null;
    else if (fence === null && !/^ {4}\S/.test(line)) return line;
    // Of a picture or of what was printed only what was typed, behind a prompt.
    else if (fence !== 'text' || line.startsWith('$ '))
      found.push({ line: at + 1, code: line.trim(), isBlock: true });
    return '';
  });
  const text = prose.join('\n');
  for (const { index, 1: code = '' } of text.matchAll(/`((?:[^`\n]|\n(?!\n))+)`/g))
    found.push({
      line: text.slice(0, index).split('\n').length,
      code: code.replace('\n', ' '),
      isBlock: false,
    });
  return found;
}

/**
 * The commands in a page. `data status|push` and, within a sentence, `list | trigger | pause`, of which each is meant, are commands of their own.
 */
export function documentedCommands(page: string, markdown: string): DocumentedCommand[] {
  return documentedCode(markdown).flatMap(({ line, code, isBlock }) =>
    code
      .split(/\s+(?:&&|;)\s+/)
      .flatMap((step) => wordsOf(step, isBlock).map((words) => ({ page, line, text: code, words }))),
  );
}

/** What may come before: a prompt, variables, another program that runs it. */
const BEFORE = /^(?:\$ )?(?:[A-Z_]+=\S+ +)*(?:npx --no )?(?:bin\/)?retrain (?=[\w…-])(.*)$/s;

function wordsOf(step: string, isBlock: boolean): string[][] {
  const [, rest] = BEFORE.exec(step) ?? [];
  if (rest === undefined) return [];
  const words: string[] = [];
  for (const [word] of rest.matchAll(/(?:[^\s'"]|'[^']*'|"[^"]*")+/g)) {
    if (END.test(word) && (isBlock || word !== '|')) break;
    words.push(word.replace(/^'(.*)'$/s, '$1').replace(/^"(.*)"$/s, '$1'));
  }
  return alternatives(words);
}

function alternatives(words: readonly string[]): string[][] {
  const bar = words.indexOf('|');
  if (bar > 0) {
    const before = words.slice(0, bar - 1);
    return words.slice(bar - 1).flatMap((word) => (word === '|' ? [] : [[...before, word]]));
  }
  const at = words.findIndex((word) => /^[a-z]+(\|[a-z]+)+$/.test(word));
  if (at === -1) return [[...words]];
  return (words[at] ?? '').split('|').map((word) => [...words.slice(0, at), word, ...words.slice(at + 1)]);
}
