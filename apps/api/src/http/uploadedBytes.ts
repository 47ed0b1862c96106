import type { IncomingMessage } from 'node:http';
import { constants, createGunzip } from 'node:zlib';
import { ApiError, InvalidRequestError } from '@ruyi/contracts';
import { AbortedRequestError } from './body.ts';
import { withoutDeadline } from './requestDeadline.ts';

const CHUNK_BYTES = 64 * 1024;
const DRAIN_BYTES = 64 * 1024 * 1024;
const DRAIN_MS = 5000;

/**
 * The bytes of an upload as they arrive, after gunzip: nothing is read ahead of whoever takes them, so a slow Redis slows
 * the client down. There is no total deadline.
 * @param idleMs an upload that brings nothing for this long is refused
 * @throws ApiError 408; InvalidRequestError for a damaged gzip; AbortedRequestError if the client went away
 */
export async function* uploadedBytes(request: IncomingMessage, idleMs: number): AsyncGenerator<Buffer> {
  withoutDeadline(request);
  // Who is gone already ends nothing any more.
  if (request.destroyed) throw new AbortedRequestError();
  const encoding = (request.headers['content-encoding'] ?? 'identity').toLowerCase();
  if (encoding !== 'identity' && encoding !== 'gzip') {
    throw invalid(`Content-Encoding ${encoding} is not supported, send the body as it is or with gzip`);
  }
  const unzip =
    encoding === 'gzip' ? createGunzip({ chunkSize: CHUNK_BYTES, finishFlush: constants.Z_FINISH }) : undefined;
  // With its connection a request loses what was not read yet, also if it had arrived. To gunzip that would look like a wait
  // for more.
  const cut = () => request.readableEnded || unzip?.destroy(new AbortedRequestError());
  request.once('close', cut);
  const stream = unzip ? request.pipe(unzip) : request;
  const chunks = stream.iterator({ destroyOnReturn: false });
  try {
    for (;;) {
      const step = await withinIdle(chunks.next(), idleMs);
      if (step.done) break;
      yield step.value;
    }
  } catch (error) {
    if (error instanceof ApiError) throw error;
    if (request.destroyed && !request.readableEnded) throw new AbortedRequestError();
    throw unzip ? invalid(`the body is no gzip: ${error instanceof Error ? error.message : error}`) : error;
  } finally {
    request.off('close', cut);
    if (unzip) {
      request.unpipe(unzip);
      unzip.destroy();
    }
  }
  if (!request.complete) throw new AbortedRequestError();
}

const invalid = (message: string) => new InvalidRequestError([{ path: '', message }]);

async function withinIdle<T>(next: Promise<T>, idleMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const idle = new Promise<never>((_, reject) => {
    const late = new ApiError(408, 'timeout', `nothing arrived for ${idleMs / 1000} s; the part was dropped`);
    timer = setTimeout(() => reject(late), idleMs);
  });
  next.catch(() => {});
  try {
    return await Promise.race([next, idle]);
  } finally {
    clearTimeout(timer);
  }
}

/** Reads and drops the rest of a body for a while: a client that is still sending does not see an answer. */
export async function drain(request: IncomingMessage): Promise<void> {
  if (request.complete || request.destroyed) return;
  withoutDeadline(request);
  await new Promise<void>((resolve) => {
    let dropped = 0;
    const timer = setTimeout(resolve, DRAIN_MS);
    const done = () => {
      clearTimeout(timer);
      resolve();
    };
    request.on('data', (chunk: Buffer) => {
      dropped += chunk.length;
      if (dropped > DRAIN_BYTES) done();
    });
    request.once('end', done).once('close', done).once('error', done);
    request.resume();
  });
}
