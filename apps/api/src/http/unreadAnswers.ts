import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { HttpLimits } from './limits.ts';

/**
 * Bounds the answers that clients have not read yet. Node keeps them in memory as long as the connection lasts, so clients
 * that ask for much and read nothing would fill the memory. A connection is dropped if its client read nothing for
 * `unreadMs` or if it alone holds too much. While all connections together hold too much, the one that has waited longest
 * is dropped.
 */
export class UnreadAnswers {
  /** unread bytes per connection; the one that has waited longest comes first */
  readonly #held = new Map<Socket, number>();
  #sum = 0;
  readonly #limits: HttpLimits;
  readonly #onDrop: (socket: Socket, reason: string) => void;

  constructor(limits: HttpLimits, onDrop: (socket: Socket, reason: string) => void) {
    this.#limits = limits;
    this.#onDrop = onDrop;
  }

  /** Whether clients have read all answers that were ended, or the system's buffers hold the rest. */
  get areNone(): boolean {
    return this.#held.size === 0;
  }

  /** To be called with each answer that was ended. Bytes that the system's buffers took at once do not count. */
  watch(response: ServerResponse): void {
    const bytes = response.writableLength;
    const { socket } = response.req;
    if (bytes === 0 || socket.destroyed) return;
    // The timer starts again whenever the client reads a part; after the answer Node sets it to its keep-alive time.
    socket.setTimeout(this.#limits.unreadMs);
    if (!this.#held.has(socket)) socket.once('close', () => this.#forget(socket, this.#held.get(socket) ?? 0));
    this.#held.set(socket, (this.#held.get(socket) ?? 0) + bytes);
    this.#sum += bytes;
    response.once('finish', () => this.#forget(socket, bytes));
    this.#keepBounds(socket);
  }

  /** To be called with a connection whose timer ran out. */
  timedOut(socket: Socket): void {
    if (this.#held.has(socket)) this.#drop(socket, 'nothing was read of its answer');
    else socket.destroy();
  }

  #keepBounds(latest: Socket): void {
    const { unreadBytes, unreadBytesOfOne } = this.#limits;
    if ((this.#held.get(latest) ?? 0) > unreadBytesOfOne) {
      this.#drop(latest, 'too much of its answers is unread');
    }
    for (const socket of this.#held.keys()) {
      if (this.#sum <= unreadBytes) return;
      this.#drop(socket, 'too many answers are unread, and it has waited longest');
    }
  }

  #drop(socket: Socket, reason: string): void {
    this.#forget(socket, this.#held.get(socket) ?? 0);
    this.#onDrop(socket, reason);
    socket.destroy();
  }

  #forget(socket: Socket, bytes: number): void {
    const held = this.#held.get(socket);
    if (held === undefined) return;
    this.#sum -= Math.min(bytes, held);
    if (bytes >= held) this.#held.delete(socket);
    else this.#held.set(socket, held - bytes);
  }
}
