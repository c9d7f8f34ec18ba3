/**
 * What a terminal, a page or a mail could take for a command: control characters but tab and line end, and those that turn the
 * direction of a text (https://www.unicode.org/reports/tr9/) or break a line unseen.
 */
const COMMANDS = /(?![\n\t])\p{Cc}|[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

/**
 * The words of a stranger (a stage, a registry, a data file, a trigger) as they may reach a person: every character is one that is
 * shown. All that we print, send or render goes through here.
 */
export function plainWords(text: string): string {
  return text.replace(COMMANDS, '?');
}

/** As `plainWords`, on one line. */
export function plainLine(text: string): string {
  return plainWords(text.replace(/[\r\n\t]+/g, ' '));
}

/** As `plainLine`, for a place in Markdown, which it cannot break out of: no links, pictures, markup or table cells of its own. */
export function markdownWords(text: string): string {
  return plainLine(text).replace(/[\\`*[\]<>|~]/g, '\\$&');
}
