import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { ApiError, InvalidJsonError, OverloadedError, PayloadTooLargeError } from '@ruyi/contracts';
import { inputTaken, inTurn } from '@ruyi/flow';
import type { Share } from './bodyBudget.ts';

const DRAIN_BYTES = 64 * 1024 * 1024;
const DRAIN_MS = 5000;
/** Parsing this many bytes takes about as long as planning one recipient. */
const BYTES_PER_ITEM = 320;
const EMPTY = Buffer.alloc(0);

/**
 * Reads a request's body as a JSON object (docs/api.md §1); Content-Type is ignored. If the body is too large or there is
 * no room for it, the rest of it is read and dropped for a while: a client that is still sending does not see an answer.
 * @param share grows by the bytes that are held; the caller releases it
 * @param ifEmpty what no body means; it is refused by default
 * @throws InvalidJsonError, PayloadTooLargeError (larger than maxBytes), OverloadedError (the share cannot grow)
 */
export async function readJson(
  request: IncomingMessage,
  maxBytes: number,
  share: Share,
  ifEmpty?: Record<string, unknown>,
): Promise<Record<string, unknown>> {
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    throw new InvalidJsonError(`Content-Encoding ${encoding} is not supported, send the body as it is`);
  }
  // Nearly every body is here by then, because it came in one piece with the head.
  await inputTaken();
  const isHere = request.complete && request.readableLength <= maxBytes;
  const body = isHere ? takeBody(request, share) : await readBody(request, maxBytes, share);
  if (body.length === 0 && ifEmpty) return ifEmpty;
  return inTurn(body.length / BYTES_PER_ITEM, () => parseObject(body));
}

/** A body that has arrived completely: without the listeners, turns and copies of one that is still on its way. */
function takeBody(request: IncomingMessage, share: Share): Buffer {
  if (!share.grow(request.readableLength)) throw tooManyBodies();
  const body: unknown = request.read();
  return Buffer.isBuffer(body) ? body : EMPTY;
}

const tooManyBodies = () =>
  new OverloadedError('the bodies of all requests together are too large at the moment, try again');

const hasByteOrderMark = (body: Buffer) => body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf;

function parseObject(given: Buffer): Record<string, unknown> {
  const body = hasByteOrderMark(given) ? given.subarray(3) : given;
  if (body.length === 0) throw new InvalidJsonError('the body is empty, a JSON object is required');
  if (!isUtf8(body)) throw new InvalidJsonError('the body is not UTF-8');
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch {
    // V8's message quotes the body, which must not reach a log or an answer.
    throw new InvalidJsonError('the body is not valid JSON');
  }
  if (!isObject(value)) throw new InvalidJsonError('the body must be a JSON object');
  return value;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function readBody(request: IncomingMessage, maxBytes: number, share: Share): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    // Who is gone already ends nothing any more.
    if (request.destroyed) return reject(new AbortedRequestError());
    const body = new GrowingBuffer(maxBytes);
    let received = 0;
    let refusal: ApiError | undefined;
    let timer: NodeJS.Timeout | undefined;
    const refuse = (why: ApiError) => {
      refusal = why;
      body.clear();
      share.release();
      timer = setTimeout(() => reject(why), DRAIN_MS);
    };
    request.on('data', (chunk: Buffer) => {
      received += chunk.length;
      if (refusal !== undefined) {
        if (received > DRAIN_BYTES) reject(refusal);
      } else if (received > maxBytes) {
        refuse(new PayloadTooLargeError(`the body is larger than ${maxBytes} bytes`));
      } else if (share.grow(chunk.length)) {
        body.append(chunk);
      } else {
        refuse(tooManyBodies());
      }
    });
    request.on('end', () => {
      clearTimeout(timer);
      if (refusal === undefined) resolve(body.take());
      else reject(refusal);
    });
    request.on('close', () => {
      clearTimeout(timer);
      // After its end this changes nothing.
      reject(new AbortedRequestError());
    });
    request.on('error', () => reject(new AbortedRequestError()));
  });
}

/**
 * The body so far, in one piece. Chunks that are kept as they come cost some 200 bytes each, so a body sent byte by byte
 * would take hundreds of times its size.
 */
class GrowingBuffer {
  #bytes: Buffer = EMPTY;
  #length = 0;
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  append(chunk: Buffer): void {
    const length = this.#length + chunk.length;
    if (this.#length === 0) {
      this.#bytes = chunk;
    } else {
      if (length > this.#bytes.length) {
        const larger = Buffer.allocUnsafe(Math.max(length, Math.min(2 * length, this.#most)));
        this.#bytes.copy(larger, 0, 0, this.#length);
        this.#bytes = larger;
      }
      chunk.copy(this.#bytes, this.#length);
    }
    this.#length = length;
  }

  clear(): void {
    this.#bytes = EMPTY;
    this.#length = 0;
  }

  /** Returns all of it and keeps nothing: the request's listeners, which hold this object, live as long as the request. */
  take(): Buffer {
    const bytes = this.#bytes.subarray(0, this.#length);
    this.clear();
    return bytes;
  }
}

/** The client went away before the body ended, so nobody reads this answer. */
export class AbortedRequestError extends ApiError {
  constructor() {
    super(400, 'invalid_json', 'the body ended early');
  }
}
