import type { Cluster } from 'ioredis';

/** In these it tries, or is about to. */
const TRYING = ['connecting', 'connect', 'reconnecting', 'close'];

/**
 * Lets `connect` of a cluster resolve when it is ready, and reject when it has ended. BullMQ's workers wait for it, and take
 * no job any more if it tells anything else. That of ioredis
 *
 * - rejects if no node answers, although it goes on trying;
 * - never settles if the nodes answer at first that they cannot serve, as during a failover: it connects once more, and
 *   forgets who waits.
 */
export function withSettledConnect<C extends Pick<Cluster, 'connect' | 'status' | 'on' | 'off'>>(cluster: C): C {
  const connect = cluster.connect.bind(cluster);
  cluster.connect = () =>
    new Promise((resolve, reject) => {
      const settle = (done: () => void) => {
        cluster.off('ready', onReady);
        cluster.off('end', onEnd);
        done();
      };
      const onReady = () => settle(resolve);
      const onEnd = () => settle(() => reject(new Error('Connection is closed.')));
      cluster.on('ready', onReady);
      cluster.on('end', onEnd);
      connect().then(onReady, (error: unknown) => {
        if (!TRYING.includes(cluster.status)) settle(() => reject(error));
      });
    });
  return cluster;
}
