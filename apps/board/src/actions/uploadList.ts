import type { IncomingMessage } from 'node:http';
import type { RuyiClient } from '@ruyi/client';
import type { Act } from './logged.ts';

/**
 * Hands a list of recipients on to the API while it arrives. Nothing is read ahead of the API, so this takes no memory to speak
 * of, however long the list is, and the API's own bounds apply (docs/api.md §4).
 */
export const uploadList =
  (ruyi: RuyiClient): Act =>
  async (request, signal) => {
    const { no = '', part } = request.params;
    const encoding = request.headers['content-encoding'];
    return ruyi.uploadRecipients(
      { broadcast_no: no, part: Number(part), lines: ReadableStream.from(bytesOf(request)) },
      { signal, headers: encoding === undefined ? {} : { 'content-encoding': encoding } },
    );
  };

/** Leaves the request open if the API answers early: the page still has to be told. */
async function* bytesOf(request: IncomingMessage): AsyncGenerator<Uint8Array> {
  for await (const chunk of request.iterator({ destroyOnReturn: false })) yield chunk;
  if (!request.complete) throw new Error('the upload was cut');
}
