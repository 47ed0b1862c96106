import { Cluster, type ClusterNode, type ClusterOptions } from 'ioredis';
import { withSettledConnect } from './settledConnect.ts';

/** ioredis types the reply mapping by the constructor's argument, which is always the default here. */
export type ClusterSettings = Omit<ClusterOptions, 'replyMapping' | 'redisOptions'> & {
  redisOptions: Omit<NonNullable<ClusterOptions['redisOptions']>, 'replyMapping'>;
};

/**
 * A cluster connection that tells, with the event `lost`, whenever writes that were answered may be gone. `Cluster` itself
 * emits `close` only when it has no node left at all, but a single master that dies may have answered a write that its
 * replica, which takes its place, never saw:
 *
 * - the connection to a node is closed;
 * - slots have another master. The old one may be frozen, and its connections open.
 */
export class WatchedCluster extends Cluster {
  readonly #commandTimeoutMs: number | undefined;
  #masters: (string | undefined)[] = [];

  /** @param commandTimeoutMs bounds every command, redirections and waiting for a connection included */
  constructor(nodes: ClusterNode[], settings: ClusterSettings, commandTimeoutMs?: number) {
    super(nodes, { ...settings, lazyConnect: true });
    this.#commandTimeoutMs = commandTimeoutMs;
    withSettledConnect(this);
    // BullMQ makes its blocking connections with it.
    this.duplicate = (...args) => withSettledConnect(super.duplicate(...args));
    this.on('+node', (node) => node.on('close', () => this.emit('lost')));
    this.on('refresh', () => this.#compareMasters());
    this.connect().catch(() => {});
  }

  override sendCommand(...[command, stream, node]: Parameters<Cluster['sendCommand']>): unknown {
    if (this.#commandTimeoutMs !== undefined) command.setTimeout(this.#commandTimeoutMs);
    return super.sendCommand(command, stream, node);
  }

  /** A redirection comes before the new table of slots does. */
  override handleError(...[error, ttl, handlers]: Parameters<Cluster['handleError']>): void {
    if (error.message.startsWith('MOVED')) this.emit('lost');
    super.handleError(error, ttl, handlers);
  }

  #compareMasters(): void {
    const before = this.#masters;
    this.#masters = Array.from({ length: this.slots.length }, (_, slot) => this.slots[slot]?.[0]);
    if (before.length > 0 && this.#masters.some((master, slot) => master !== before[slot])) this.emit('lost');
  }
}
