import { setTimeout as delay } from 'node:timers/promises';
import type { RedisClient } from '@ruyi/redis';
import { storedTopic } from '@ruyi/store';

/** The first look comes soon, because not everything is published: commands to groups and sends to many are only looked for. */
const LOOK_AFTER_MS = { first: 25, most: 1000 };

/**
 * Waits until a message is stored, for answers that are held back. Workers publish to this process what they stored. A
 * publish can get lost, so the waiter also looks into Redis: after twice as long each time, up to a second, and at the deadline.
 */
export class StoredWaiter {
  readonly #subscriber: RedisClient;
  readonly #waiting = new Map<number, (seq: number) => void>();

  constructor(subscriber: RedisClient, apiName: string) {
    this.#subscriber = subscriber;
    subscriber.on('message', (_, text) => {
      const stored: [id: number, seq: number][] = JSON.parse(text);
      for (const [id, seq] of stored) this.#waiting.get(id)?.(seq);
    });
    subscriber.subscribe(storedTopic(apiName)).catch(() => {});
  }

  /**
   * @param look reads the seq from Redis; undefined while the message is not stored
   * @returns the seq, 0 if the message has none; undefined if it was not stored in time
   */
  async wait(id: number, seconds: number, look: () => Promise<number | undefined>): Promise<number | undefined> {
    const done = new AbortController();
    const deadline = performance.now() + seconds * 1000;
    const published = new Promise<number>((resolve) => this.#waiting.set(id, resolve));
    const looked = async () => {
      for (let pause = LOOK_AFTER_MS.first; ; pause = Math.min(2 * pause, LOOK_AFTER_MS.most)) {
        const left = deadline - performance.now();
        await delay(Math.max(0, Math.min(pause, left)), undefined, { signal: done.signal });
        const seq = await look().catch(() => undefined);
        if (seq !== undefined || left <= pause) return seq;
      }
    };
    try {
      return await Promise.race([published, looked()]);
    } finally {
      done.abort();
      this.#waiting.delete(id);
    }
  }

  async close(): Promise<void> {
    this.#subscriber.disconnect();
  }
}
