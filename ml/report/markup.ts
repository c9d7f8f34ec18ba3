import { plainWords } from '../../contracts/plain-words';

/** Markup that is safe to put into a page; only `markup` and `escaped` make it. */
export class Markup {
  constructor(readonly text: string) {}
}

type Part = Markup | string | number | readonly Part[];

/** A template whose values are escaped unless they are markup themselves. */
export function markup(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  return new Markup(
    strings.map((text, i) => text + (i < parts.length ? shown(parts[i] ?? '') : '')).join(''),
  );
}

export const NOTHING = new Markup('');

function shown(part: Part): string {
  if (part instanceof Markup) return part.text;
  if (typeof part === 'string' || typeof part === 'number') return escaped(String(part));
  return part.map(shown).join('');
}

const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** A text for HTML and SVG, in elements and in attributes. */
export function escaped(text: string): string {
  return plainWords(text).replace(/[&<>"']/g, (letter) => ENTITIES[letter] ?? letter);
}
