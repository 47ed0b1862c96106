import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

// Servers that can be made to fail.

/** Redis through which INFO says that it is of another version. */
export async function redisProxy(port: number) {
  let version = '';
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const redis = connect(port, '127.0.0.1');
    for (const socket of [client, redis]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        for (const other of [client, redis]) other.destroy();
        sockets.delete(socket);
      });
    }
    client.pipe(redis);
    redis.on('data', (data) => {
      const text = data.toString('latin1');
      // As long as before: the reply begins with its length.
      const told = version === '' ? text : text.replace(/(?<=\nredis_version:)\d/, version);
      client.write(Buffer.from(told, 'latin1'));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    pretend: (major: string) => {
      version = major;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** As much of Meilisearch as processes ask for while nobody searches; it has one key. */
export async function meilisearch() {
  let key = 'right';
  let state: 'serves' | 'away' | 'hangs' = 'serves';
  const server = createHttpServer((request, response) => {
    request.resume();
    if (state === 'away') return request.destroy();
    if (state === 'hangs') return;
    const answer = (status: number, body: object) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    if (request.headers.authorization !== `Bearer ${key}`)
      return answer(403, { code: 'invalid_api_key', message: 'no' });
    const path = request.url ?? '';
    if (path === '/version') return answer(200, { pkgVersion: '1.50.0' });
    if (path.startsWith('/tasks')) return answer(200, { uid: 1, status: 'succeeded', results: [] });
    if (path.endsWith('/search')) return answer(200, { hits: [], estimatedTotalHits: 0 });
    if (request.method === 'GET') return answer(200, { uid: path.split('/')[2] });
    answer(202, { taskUid: 1, status: 'enqueued' });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** `away`: connections end at once; `hangs`: requests are taken and never answered */
    become: (next: typeof state) => {
      state = next;
    },
    changeKey: (changed: string) => {
      key = changed;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
