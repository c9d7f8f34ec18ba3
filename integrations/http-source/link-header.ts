/**
 * The address of `rel="next"` in a header Link: `<https://…?page=2>; rel="next", <…>; rel="last"`; undefined: there is none.
 * Source: RFC 8288.
 */
export function nextLink(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  // A comma may stand in an address, which is within < and >.
  for (const [, target = '', parameters = ''] of header.matchAll(
    /<([^<>]*)>((?:\s*;\s*[^;,"]*(?:"[^"]*")?)*)/g,
  )) {
    const relation = /(?:^|;)\s*rel\s*=\s*(?:"([^"]*)"|([^\s;,]+))/i.exec(parameters);
    const names = (relation?.[1] ?? relation?.[2] ?? '').toLowerCase().split(/\s+/);
    if (names.includes('next')) return target.trim();
  }
  return undefined;
}
