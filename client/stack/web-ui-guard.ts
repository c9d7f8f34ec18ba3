import { type IncomingHttpHeaders } from 'node:http';

/** Names of this machine that no other machine's page can have as its own. */
const LOCAL = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Requests that change nothing. */
const SAFE = new Set(['GET', 'HEAD']);

/**
 * Why a request to the Web UI is refused; null when it is not. The UI has no login: whoever can have a browser on this
 * machine send it a request can start workflows. So the request must name this machine (a page whose own name was turned to
 * 127.0.0.1 names itself), and must come from the UI's own pages, or from the address bar, and not from another page.
 *
 * Browsers say both in headers that no page can set: Host, Origin (https://fetch.spec.whatwg.org/#origin-header) and
 * Sec-Fetch-Site (https://www.w3.org/TR/fetch-metadata/).
 */
export function refusal(method: string, headers: IncomingHttpHeaders): string | null {
  const host = headers.host ?? '';
  if (!LOCAL.has(host.replace(/:\d{1,5}$/, ''))) {
    return 'it was asked for by another name than localhost or 127.0.0.1';
  }
  const { origin } = headers;
  if (origin !== undefined && origin !== `http://${host}`) return 'another page sent the request';
  const site = headers['sec-fetch-site'];
  if (site === undefined || site === 'same-origin' || site === 'none') return null;
  if (!SAFE.has(method)) return 'another page sent the request';
  // A link from another page, such as a notice in a chat, may lead here; it may not embed the UI, nor ask its API.
  const linked = headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
  return linked ? null : 'another page embeds it';
}
