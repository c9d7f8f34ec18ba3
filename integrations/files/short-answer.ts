/** Bytes of an answer that messages show at most. */
const MOST_SHOWN = 2_000;

/** The first part of what a server said; the rest is dropped. */
export async function beginningOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    size += chunk.byteLength;
    if (size > MOST_SHOWN) break;
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Why there is no answer. Of several addresses tried, Node’s error has the reason in its code alone. */
export function connectionReason(error: unknown): string {
  const { message, code } = error as { message?: string; code?: string };
  return message || code || 'the connection failed';
}
