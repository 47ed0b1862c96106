import { Agent, type IncomingMessage, request } from 'node:http';

export interface Reply {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: answers of many endpoints; what is read of them is checked where it is read.
  body: any;
}

/** Nobody took the request: nobody listens, or the server is still starting. With any other error it may have been served. */
export class RefusedError extends Error {}

/** The connection ended, or no answer came in time. */
export class CutError extends Error {
  /** false if the connection had been kept alive: its server may have closed it while it was idle */
  readonly isFresh: boolean;

  constructor(cause: unknown, isFresh: boolean) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.isFresh = isFresh;
  }
}

export type Method = 'GET' | 'POST' | 'PUT';

export interface CallOptions {
  headers?: Record<string, string>;
  deadlineMs?: number;
  /** the client ends the connection after so many bytes of the body */
  cutAt?: number;
}

const isLines = ({ headers }: IncomingMessage): boolean => headers['content-type']?.includes('ndjson') === true;
const linesOf = (text: string): unknown[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

/** What an API says before it is ready. A load balancer that follows /readyz sends nothing there; this load knows only ports. */
const isStarting = ({ status, body }: Reply): boolean =>
  status === 503 && typeof body?.msg === 'string' && body.msg.startsWith('starting');

/** One keep-alive client for all of the load. */
export class Http {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });

  /** @throws RefusedError, or CutError if the connection ended or the deadline passed before the answer */
  call(
    port: number,
    method: Method,
    path: string,
    body?: object | Buffer,
    { headers = {}, deadlineMs = 45_000, cutAt }: CallOptions = {},
  ): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const bytes = Buffer.isBuffer(body) ? body : Buffer.from(body === undefined ? '' : JSON.stringify(body));
      const length = { 'content-length': bytes.length };
      const options = { agent: this.#agent, host: '127.0.0.1', port, method, path, headers: { ...headers, ...length } };
      const outgoing = request(options, (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('error', fail);
        incoming.on('aborted', () => fail(new Error('the answer was cut')));
        incoming.on('end', () => {
          clearTimeout(timer);
          try {
            const text = Buffer.concat(chunks).toString();
            const reply = {
              status: incoming.statusCode ?? 0,
              body: isLines(incoming) ? linesOf(text) : JSON.parse(text),
            };
            if (isStarting(reply)) reject(new RefusedError('starting'));
            else resolve(reply);
          } catch (error) {
            fail(error);
          }
        });
      });
      const fail = (error: unknown) => {
        clearTimeout(timer);
        const isRefused = error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED';
        reject(isRefused ? new RefusedError('refused') : new CutError(error, !outgoing.reusedSocket));
      };
      const timer = setTimeout(() => outgoing.destroy(new Error(`no answer in ${deadlineMs} ms`)), deadlineMs);
      outgoing.on('error', fail);
      if (cutAt === undefined) outgoing.end(bytes);
      else outgoing.write(bytes.subarray(0, cutAt), () => outgoing.destroy(new Error('cut by the client itself')));
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}
