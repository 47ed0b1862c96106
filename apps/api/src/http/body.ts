import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { ApiError, InvalidJsonError, PayloadTooLargeError } from '@ruyi/contracts';
import { inTurn } from '@ruyi/queue';

const DRAIN_BYTES = 64 * 1024 * 1024;
const DRAIN_MS = 5000;
/** Bytes that are parsed in about the time in which one recipient is planned. */
const BYTES_AN_ITEM = 320;

/**
 * Reads a request's body as a JSON object (§1); Content-Type is ignored. A body that is too large is drained for a
 * while, so that the client, who is still sending, gets to see the answer.
 */
export async function readJson(request: IncomingMessage, maxBytes: number): Promise<Record<string, unknown>> {
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    throw new InvalidJsonError(`Content-Encoding ${encoding} is not supported, send the body as it is`);
  }
  const body = await readBody(request, maxBytes);
  return inTurn(body.length / BYTES_AN_ITEM, () => parseObject(body));
}

function parseObject(body: Buffer): Record<string, unknown> {
  if (body.length === 0) throw new InvalidJsonError('the body is empty, a JSON object is required');
  if (!isUtf8(body)) throw new InvalidJsonError('the body is not UTF-8');
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch {
    // V8's own message quotes the body; what is in it is nobody else's business.
    throw new InvalidJsonError('the body is not valid JSON');
  }
  if (!isObject(value)) throw new InvalidJsonError('the body must be a JSON object');
  return value;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    let tooLarge = false;
    let timer: NodeJS.Timeout | undefined;
    const refuse = () => reject(new PayloadTooLargeError(`the body is larger than ${maxBytes} bytes`));
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length <= maxBytes) {
        chunks.push(chunk);
        return;
      }
      if (!tooLarge) {
        tooLarge = true;
        chunks.length = 0;
        timer = setTimeout(refuse, DRAIN_MS);
      }
      if (length > DRAIN_BYTES) refuse();
    });
    request.on('end', () => {
      clearTimeout(timer);
      if (tooLarge) refuse();
      else resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks));
    });
    request.on('close', () => {
      clearTimeout(timer);
      if (!request.complete) reject(new AbortedRequestError());
    });
    request.on('error', () => reject(new AbortedRequestError()));
  });
}

/** The client went away; nobody reads the answer. */
export class AbortedRequestError extends ApiError {
  constructor() {
    super(400, 'invalid_json', 'the body ended early');
  }
}
