import type { HealthCheck } from '@ruyi/client';

/** The part of the page's overview that says what is wrong. */
interface Overview {
  problem?: { message: string };
  health?: { status: string; checks: (HealthCheck & { name: string })[] };
}

export interface PageEvents {
  /** what the page shows now, in a browser that is open all the time */
  overview(): Overview | undefined;
  close(): Promise<void>;
}

/** Listens to what the board's server tells its page, as the page does. */
export async function pageEvents(board: string): Promise<PageEvents> {
  const end = new AbortController();
  const response = await fetch(`${board}/events`, { signal: end.signal });
  if (response.body === null) throw new Error(`the board answers ${response.status} without events`);
  let latest: Overview | undefined;
  const reading = read(response.body, (name, data) => {
    if (name === 'overview') latest = JSON.parse(data);
  }).catch((error: unknown) => {
    if (!end.signal.aborted) throw error;
  });
  return {
    overview: () => latest,
    async close() {
      end.abort();
      await reading;
    },
  };
}

async function read(body: ReadableStream<Uint8Array>, tell: (name: string, data: string) => void): Promise<void> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const piece of body) {
    text += decoder.decode(piece, { stream: true });
    const events = text.split('\n\n');
    text = events.pop() ?? '';
    for (const event of events) {
      const [, name = '', data = ''] = /^event: (.*)\ndata: (.*)$/.exec(event) ?? [];
      tell(name, data);
    }
  }
}
