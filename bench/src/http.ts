import { type Dispatcher, Pool } from 'undici';

/** Requests to a measured API. */
export interface Http {
  /** @throws Error with the answer unless it is 200 */
  post<T>(path: string, body: string): Promise<T>;
  get<T>(path: string): Promise<T>;
  /** Posts the bodies over so many connections. @returns the answers, in the order in which they came */
  postAll<T>(path: string, bodies: string[], connections: number): Promise<T[]>;
  close(): Promise<void>;
}

const ANSWER_MS = 60_000;

/** Unbounded connections, and much cheaper than fetch, because the load shares the machine with what is measured. */
export function openHttp(address: string): Http {
  const http = new Pool(address, { headersTimeout: ANSWER_MS });
  const ask = async <T>(method: Dispatcher.HttpMethod, path: string, body: string | null): Promise<T> => {
    const answer = await http.request({ method, path, body });
    if (answer.statusCode !== 200) throw new Error(`${path}: ${answer.statusCode} ${await answer.body.text()}`);
    return answer.body.json() as Promise<T>;
  };
  const post = <T>(path: string, body: string) => ask<T>('POST', path, body);
  return {
    post,
    get: (path) => ask('GET', path, null),
    async postAll<T>(path: string, bodies: string[], connections: number) {
      const queue = bodies.values();
      const answers: T[] = [];
      await Promise.all(
        Array.from({ length: connections }, async () => {
          for (const body of queue) answers.push(await post<T>(path, body));
        }),
      );
      return answers;
    },
    close: () => http.destroy(),
  };
}
