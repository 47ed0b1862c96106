import type { DeadLetters } from '@ruyi/queue';
import { firstFailure, type Logger } from '@ruyi/telemetry';
import { Counters } from './counters.ts';
import { readDead } from './readDead.ts';
import { broadcastReader, overviewReader, type Sources } from './readOverview.ts';
import { SharedReading } from './sharedReading.ts';

/** Broadcasts that are watched at once; beyond it the page of one more shows nothing new. */
const MOST_BROADCASTS = 100;
/** Ten thousand letters take some 100 ms to group. */
const DEAD_EVERY_MS = 5000;

/** A server-sent event, as it is written to everybody who listens. */
export const eventText = (name: string, value: unknown): string => `event: ${name}\ndata: ${JSON.stringify(value)}\n\n`;

/** What the pages watch. Each is read, and written as text, once for all who look at it. */
export class Live {
  readonly counters = new Counters();
  readonly overview: SharedReading<string>;
  readonly dead: SharedReading<string>;
  readonly #broadcasts = new Map<string, SharedReading<string>>();
  readonly #sources: Sources;
  readonly #onError: (error: unknown, inARow: number) => void;

  constructor(sources: Sources, dead: DeadLetters, log: Logger) {
    this.#sources = sources;
    this.#onError = firstFailure(log, 'the page cannot be told what happens');
    const read = overviewReader(sources, this.counters);
    this.overview = new SharedReading(async () => eventText('overview', await read()), this.#onError);
    this.dead = new SharedReading(async () => eventText('dead', await readDead(dead)), this.#onError, DEAD_EVERY_MS);
  }

  /** What was named, and too many broadcasts are not. */
  watched({ broadcast, dead }: { broadcast?: unknown; dead?: unknown }): SharedReading<string>[] {
    const one = typeof broadcast === 'string' ? this.broadcast(broadcast) : undefined;
    return [this.overview, ...(one ? [one] : []), ...(dead === undefined ? [] : [this.dead])];
  }

  /** @returns undefined if too many are watched */
  broadcast(no: string): SharedReading<string> | undefined {
    for (const [known, reading] of this.#broadcasts) if (!reading.isRead) this.#broadcasts.delete(known);
    const known = this.#broadcasts.get(no);
    if (known !== undefined || this.#broadcasts.size >= MOST_BROADCASTS) return known;
    const read = broadcastReader(this.#sources, no);
    const reading = new SharedReading(async () => eventText('broadcast', await read()), this.#onError);
    this.#broadcasts.set(no, reading);
    return reading;
  }

  async close(): Promise<void> {
    await Promise.all([this.overview, this.dead, ...this.#broadcasts.values()].map((reading) => reading.close()));
  }
}
