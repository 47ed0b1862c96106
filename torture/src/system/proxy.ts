import { connect, createServer, type Socket } from 'node:net';

interface Pair {
  client: Socket;
  server: Socket;
  /** whether the client has sent something since the server last answered */
  isWaiting: boolean;
  isSpared: boolean;
}

/** A TCP proxy in front of one port that can cut connections between request and reply. */
export interface TcpProxy {
  readonly port: number;
  /** Cuts a share (0 to 1) of the connections that await a reply: the request may or may not have arrived. */
  cutWaiting(share: number, next: () => number): number;
  /** Swallows the next `count` replies and cuts their connections: the request was served, but its client does not know. */
  swallowReplies(count: number): void;
  close(): Promise<void>;
}

/** @param isSpared tells by what a client sends whether its connection is never harmed */
export async function startProxy(target: number, isSpared = (_: Buffer) => false): Promise<TcpProxy> {
  const pairs = new Set<Pair>();
  let toSwallow = 0;
  const end = (pair: Pair) => {
    pairs.delete(pair);
    pair.client.destroy();
    pair.server.destroy();
  };
  const listener = createServer({ noDelay: true }, (client) => {
    const server = connect({ port: target, host: '127.0.0.1', noDelay: true });
    const pair: Pair = { client, server, isWaiting: false, isSpared: false };
    pairs.add(pair);
    client.on('data', (data) => {
      pair.isWaiting = true;
      pair.isSpared ||= isSpared(data);
      if (!server.write(data)) client.pause();
    });
    server.on('data', (data) => {
      if (toSwallow > 0 && !pair.isSpared) {
        toSwallow--;
        end(pair);
        return;
      }
      pair.isWaiting = false;
      if (!client.write(data)) server.pause();
    });
    client.on('drain', () => server.resume());
    server.on('drain', () => client.resume());
    client.on('end', () => server.end());
    server.on('end', () => client.end());
    for (const socket of [client, server]) {
      socket.on('error', () => end(pair));
      socket.on('close', () => end(pair));
    }
  });
  await new Promise<void>((resolve) => listener.listen({ port: 0, host: '127.0.0.1', backlog: 1024 }, resolve));
  const address = listener.address();
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    cutWaiting(share, next) {
      const chosen = [...pairs].filter((pair) => pair.isWaiting && !pair.isSpared && next() < share);
      for (const pair of chosen) end(pair);
      return chosen.length;
    },
    swallowReplies(count) {
      toSwallow = count;
    },
    async close() {
      for (const pair of pairs) end(pair);
      await new Promise((resolve) => listener.close(resolve));
    },
  };
}
