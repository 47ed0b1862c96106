import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { HttpLimits } from './limits.ts';

/**
 * Answers that their clients have not taken. Node keeps them in memory for as long as the connection lasts, so a client
 * that asks for much and reads nothing would fill it. A connection is dropped when nothing was taken of its answer for
 * `unreadMs`, when it alone holds too much, and, the longest waiting first, while all of them hold too much together.
 */
export class UnreadAnswers {
  /** bytes by connection, the longest waiting first */
  readonly #held = new Map<Socket, number>();
  #sum = 0;
  readonly #limits: HttpLimits;
  readonly #onDrop: (socket: Socket, reason: string) => void;

  constructor(limits: HttpLimits, onDrop: (socket: Socket, reason: string) => void) {
    this.#limits = limits;
    this.#onDrop = onDrop;
  }

  /** Notes an answer that was ended. What the system's buffers took at once is no longer ours to keep. */
  watch(response: ServerResponse): void {
    const bytes = response.writableLength;
    const { socket } = response.req;
    if (bytes === 0 || socket.destroyed) return;
    // Counts again from each part that is taken, and is Node's own keep-alive timer again once all is.
    socket.setTimeout(this.#limits.unreadMs);
    if (!this.#held.has(socket)) socket.once('close', () => this.#forget(socket, this.#held.get(socket) ?? 0));
    this.#held.set(socket, (this.#held.get(socket) ?? 0) + bytes);
    this.#sum += bytes;
    response.once('finish', () => this.#forget(socket, bytes));
    this.#keepBounds(socket);
  }

  /** For a connection whose timer ran out. */
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
