import { request as ask, createServer } from 'node:http';
import { onTestFinished } from 'vitest';

/**
 * The API behind a proxy that passes everything on, but no answer to a part of a list after the first `parts`: whoever uploads
 * waits, and cannot know that the API has that part.
 * @param env of commands @returns the same with RUYI_URL of the proxy, which ends with the test
 */
export async function silentAfter(env: Record<string, string>, parts: number): Promise<Record<string, string>> {
  const proxy = createServer((request, response) => {
    const { method, url = '', headers } = request;
    const part = /\/recipients\/(\d+)$/.exec(url)?.[1];
    const isSilent = method === 'PUT' && part !== undefined && Number(part) >= parts;
    const passed = ask(env.RUYI_URL + url, { method, headers }, (answer) => {
      if (isSilent) return answer.resume();
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      return answer.pipe(response);
    });
    passed.on('error', () => response.destroy());
    request.pipe(passed);
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    proxy.closeAllConnections();
    proxy.close();
  });
  const address = proxy.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  return { ...env, RUYI_URL: `http://127.0.0.1:${port}` };
}
