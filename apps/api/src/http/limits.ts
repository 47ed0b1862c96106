const MIB = 1024 * 1024;

/** Bounds of the HTTP layer of one process, in milliseconds and bytes. */
export interface HttpLimits {
  /** from the first byte of a request to the end of its headers */
  headersMs: number;
  /** from the first byte of a request to the end of its body */
  requestMs: number;
  keepAliveMs: number;
  /** bodies of all requests that are being read or handled, together */
  bodiesBytes: number;
  /** how long a client may read nothing of its answer */
  unreadMs: number;
  /** answers that clients have not read yet, of all connections together */
  unreadBytes: number;
  /** the same, of one connection */
  unreadBytesOfOne: number;
}

export const HTTP_LIMITS: HttpLimits = {
  headersMs: 15_000,
  requestMs: 60_000,
  keepAliveMs: 65_000,
  bodiesBytes: 512 * MIB,
  unreadMs: 60_000,
  unreadBytes: 512 * MIB,
  unreadBytesOfOne: 64 * MIB,
};

/** How large a body may be if the request has no list of recipients (docs/api.md §1). */
export const SMALL_BODY_BYTES = MIB;
/** How large the request line and the headers may be together, as Node counts them. */
export const HEADER_BYTES = 16 * 1024;
