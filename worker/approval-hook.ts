import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { type Client } from '@temporalio/client';
import { type Logger } from '@temporalio/worker';
import { z } from 'zod';
import { ERRORS, type ErrorCode, RetrainError } from '../contracts/errors';
import { UPDATE } from '../contracts/names';
import { Params } from '../contracts/params';
import { schemaMistake } from '../contracts/schema-mistake';
import { type HandAnswer } from '../contracts/steward';
import { type ApprovalSettings } from '../integrations/notify/approval-settings';
import { verifySignature } from '../integrations/notify/signature';
import { askSteward } from '../temporal/ask-steward';
import { fromTemporal } from '../temporal/errors';

/** Path of the one thing that there is. */
const PATH = '/v1/answers';

/** An answer has a reason of 1000 letters at most. */
const MOST_BYTES = 16 * 1024;

/** A sender that takes longer is not waited for, in ms. */
const PATIENCE_MS = 10_000;

const MOST_CONNECTIONS = 50;

/** What is signed: who answers what for which candidate. Time and nonce are in the headers, and signed as well. */
export const SignedAnswer = z.strictObject({
  model: Params.shape.model,
  version: z.string().regex(/^[1-9]\d{0,8}$/, 'must be the number of a version, such as "3"'),
  decision: z.enum(['approve', 'reject']),
  by: z.string().trim().min(1).max(200),
  reason: z.string().trim().min(1).max(1000),
});
export type SignedAnswer = z.infer<typeof SignedAnswer>;

/** The steward's answer to a signed one. */
export type Answer = (answer: SignedAnswer, signal: AbortSignal) => Promise<HandAnswer>;

export interface ApprovalHook {
  /** `http://127.0.0.1:8266/v1/answers` */
  url: string;
  close(): Promise<void>;
}

/** Hands answers to the steward of their model, which takes one for each candidate and refuses the next. */
export function answerBySteward(client: Client, taskQueue: string, address: string): Answer {
  return async ({ model, decision, version, by, reason }, signal) => {
    try {
      return await askSteward<HandAnswer>({
        ...{ client, taskQueue, model, signal },
        update: UPDATE[decision],
        args: { version, by, reason },
      });
    } catch (error) {
      throw fromTemporal(error, address);
    }
  };
}

/**
 * Takes signed answers for candidates that wait for approval, by POST. Signed as Standard Webhooks are: HMAC-SHA256 over id, time and
 * body. What is not signed gets 403 whatever else may be wrong with it, and is not read further than its bytes. A body that was
 * sent once before is refused by the steward, which takes one answer.
 *
 * @throws RetrainError PORT_TAKEN
 */
export async function openApprovalHook(
  { secret, host, port }: ApprovalSettings,
  answer: Answer,
  logger: Pick<Logger, 'info' | 'warn'>,
  now: () => number = Date.now,
): Promise<ApprovalHook> {
  const ending = new AbortController();
  const server = createServer(
    { requestTimeout: PATIENCE_MS, headersTimeout: PATIENCE_MS },
    (request, response) => {
      void handle(request)
        .catch((error: unknown) => failed(error, logger))
        .then((reply) => send(response, reply));
    },
  );
  server.maxConnections = MOST_CONNECTIONS;
  await listen(server, host, port);
  const { address, port: bound, family } = server.address() as AddressInfo;

  async function handle(request: IncomingMessage): Promise<Reply> {
    if (request.url !== PATH) return refusal(404, 'NOT_FOUND', `there is ${PATH} only`);
    if (request.method !== 'POST') return refusal(405, 'USAGE', 'expected POST');
    const body = await bodyOf(request);
    if (body === null) return refusal(413, 'USAGE', `the body has more than ${MOST_BYTES} bytes`);
    const verdict = verifySignature(secret.reveal(), request.headers, body, now());
    if (verdict === 'forged') return refusal(403, 'FORBIDDEN', 'the signature does not hold');
    if (verdict === 'expired') {
      return refusal(
        403,
        'EXPIRED',
        'it was signed more than 5 minutes ago, or ahead of time; sign it again',
      );
    }
    const signed = parse(body);
    const { entry } = await answer(signed, ending.signal);
    const { model, version, decision, by } = signed;
    logger.info('signed answer taken', { model, version, decision, by, entry: entry.index });
    return { status: 200, body: { model, entry } };
  }

  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${bound}${PATH}`,
    async close() {
      ending.abort();
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

interface Reply {
  status: number;
  body: object;
}

const refusal = (status: number, code: string, message: string): Reply => ({
  status,
  body: { error: { code, message } },
});

function send(response: ServerResponse, { status, body }: Reply): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    // What was not read of a request would be taken for the next one.
    connection: 'close',
  });
  response.end(text);
}

/** Null: it is too large, and the rest of it is not read. */
async function bodyOf(request: IncomingMessage): Promise<Buffer | null> {
  if (Number(request.headers['content-length'] ?? 0) > MOST_BYTES) return null;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MOST_BYTES) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** @throws RetrainError USAGE */
function parse(body: Buffer): SignedAnswer {
  let json: unknown;
  try {
    json = JSON.parse(body.toString('utf8'));
  } catch (cause) {
    throw new RetrainError('USAGE', 'the body is no JSON', { cause });
  }
  const parsed = SignedAnswer.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new RetrainError('USAGE', schemaMistake(parsed.error, 'the body'));
}

/** Codes that say that there is nothing to answer here any more. */
const CONFLICTS: readonly ErrorCode[] = ['NOT_PENDING', 'APPROVAL_STALE', 'PROMOTION_REFUSED'];

function failed(error: unknown, logger: Pick<Logger, 'warn'>): Reply {
  if (!(error instanceof RetrainError)) {
    logger.warn('signed answer failed', { reason: String(error) });
    return refusal(500, 'RUN_FAILED', 'the answer could not be handed to the steward; its log says why');
  }
  const { code, message } = error;
  logger.warn('signed answer refused', { code, reason: message });
  if (CONFLICTS.includes(code)) return refusal(409, code, message);
  if (code === 'NOT_AN_APPROVER') return refusal(403, code, message);
  if (code === 'USAGE') return refusal(400, code, message);
  return refusal(ERRORS[code].retryable ? 503 : 500, code, message);
}

async function listen(server: ReturnType<typeof createServer>, host: string, port: number): Promise<void> {
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (cause) {
    throw new RetrainError(
      'PORT_TAKEN',
      `signed answers cannot be taken at ${host}:${port} (${(cause as Error).message}); set RETRAIN_APPROVAL_ADDRESS to another address, or unset RETRAIN_APPROVAL_SECRET of this worker`,
      { cause },
    );
  }
}
