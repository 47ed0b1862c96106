import { setTimeout as pause } from 'node:timers/promises';
import type { TcpProxy } from '../system/proxy.ts';
import type { Fault, FaultContext } from './fault.ts';

const MOST_SWALLOWED = 6;
const SHARE = 0.5;

/** Cuts connections while a reply is awaited, or swallows the reply. */
async function cut({ random, forMs, count }: FaultContext, proxies: TcpProxy[], what: string): Promise<void> {
  const until = performance.now() + forMs;
  while (performance.now() < until) {
    for (const proxy of proxies) {
      const swallowed = random.whole(0, MOST_SWALLOWED);
      proxy.swallowReplies(swallowed);
      count(`${what} cut`, swallowed + proxy.cutWaiting(SHARE, random.next));
    }
    await pause(random.whole(20, 400));
  }
  for (const proxy of proxies) proxy.swallowReplies(0);
}

/** Cuts connections between clients and API. */
export const cutClients: Fault = async (context) => {
  context.load.throughProxies(true);
  await cut(context, context.system.apiProxies, 'client connections');
  context.load.throughProxies(false);
};

/** Cuts connections between processes and Redis: an `add`, a script or a lock may have been executed without an answer. */
export const cutRedis: Fault = (context) => cut(context, context.system.redis.proxies, 'redis connections');
