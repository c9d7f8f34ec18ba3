/** A setting as configobj reads it: a comma makes a list, unless it is quoted. */
export type ConfigValue = string | string[];

/** Section → key → value; keys in lower case, sections as written: `core`, `remote "storage"`. */
export type ConfigSections = Map<string, Map<string, ConfigValue>>;

/**
 * Reads the format of `.dvc/config`, which DVC reads with Python’s configobj: `[section]` or `['remote "name"']`, `key = value`,
 * values bare or in quotes, `#` comments. Lines that are neither are skipped.
 */
export function parseConfig(text: string): ConfigSections {
  const sections: ConfigSections = new Map();
  let current: Map<string, ConfigValue> | undefined;
  for (const line of text.split(/\r?\n/).map((raw) => raw.trim())) {
    const section = /^\[\s*(?:'([^']*)'|"([^"]*)"|([^\]]*?))\s*\]\s*(#.*)?$/.exec(line);
    if (section) {
      const name = (section[1] ?? section[2] ?? section[3] ?? '').trim().toLowerCase();
      current = sections.get(name) ?? new Map<string, ConfigValue>();
      sections.set(name, current);
      continue;
    }
    const setting = /^(?:'([^']*)'|"([^"]*)"|([^=#'"]+?))\s*=\s*(.*)$/.exec(line);
    const key = setting && (setting[1] ?? setting[2] ?? setting[3]);
    if (key) current?.set(key.trim().toLowerCase(), parseValue(setting[4]!));
  }
  return sections;
}

/** One item, quoted in one of four ways or bare, with the comma or comment that ends it. */
const ITEM = /\s*(?:'''(.*?)'''|"""(.*?)"""|"([^"]*)"|'([^']*)'|([^,#]*?))\s*(,|#.*$|$)/y;

function parseValue(text: string): ConfigValue {
  const items: string[] = [];
  let separated = false;
  ITEM.lastIndex = 0;
  for (let match = ITEM.exec(text); match; match = ITEM.exec(text)) {
    const [, ...groups] = match;
    const end = groups.pop() ?? '';
    const item = groups.find((group) => group !== undefined) ?? '';
    // Nothing after a last comma is no item.
    if (!(separated && match[5] === '')) items.push(item);
    if (end !== ',') break;
    separated = true;
  }
  return separated ? items : (items[0] ?? '');
}
