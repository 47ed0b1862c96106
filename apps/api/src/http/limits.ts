const MIB = 1024 * 1024;

/** What the HTTP layer of one process bounds, in milliseconds and bytes. */
export interface HttpLimits {
  /** from the first byte of a request to the end of its headers */
  headersMs: number;
  /** to the end of its body */
  requestMs: number;
  keepAliveMs: number;
  /** bodies of all requests that are being read or answered */
  bodiesBytes: number;
  /** how long a client may take nothing of its answer */
  unreadMs: number;
  /** answers that clients have not taken yet: all together, and of one connection */
  unreadBytes: number;
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

/** Bodies of requests that carry no list of recipients (docs/api.md §1). */
export const SMALL_BODY_BYTES = MIB;
/** Line and headers of a request, as Node counts them. */
export const HEADER_BYTES = 16 * 1024;
