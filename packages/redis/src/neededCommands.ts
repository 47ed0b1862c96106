/**
 * Every command that Ruyi, its scripts and BullMQ send, in a form that Redis takes into a transaction; KEY stands for a
 * key. A test compares the list with the scripts and with what redis-server counted.
 */
export const NEEDED_COMMANDS: readonly string[] = [
  ...[
    'get KEY',
    'set KEY 1',
    'setbit KEY 0 0',
    'bitcount KEY',
    'incr KEY',
    'incrby KEY 1',
    'decr KEY',
    'getrange KEY 0 1',
    'append KEY 1',
  ],
  ...['del KEY', 'unlink KEY', 'exists KEY', 'type KEY', 'rename KEY KEY', 'sort KEY', 'scan 0'],
  ...['expire KEY 1', 'expireat KEY 1', 'pexpire KEY 1', 'pexpireat KEY 1', 'persist KEY', 'pttl KEY'],
  ...['hset KEY f 1', 'hsetnx KEY f 1', 'hmset KEY f 1', 'hget KEY f', 'hmget KEY f', 'hgetall KEY'],
  ...['hdel KEY f', 'hexists KEY f', 'hincrby KEY f 1', 'hlen KEY', 'hscan KEY 0'],
  ...['lpush KEY 1', 'rpush KEY 1', 'lpop KEY', 'rpop KEY', 'rpoplpush KEY KEY', 'lset KEY 0 1', 'lindex KEY 0'],
  ...['llen KEY', 'lpos KEY 1', 'lrange KEY 0 1', 'lrem KEY 1 1', 'ltrim KEY 0 1'],
  ...['sadd KEY 1', 'srem KEY 1', 'scard KEY', 'smembers KEY', 'sismember KEY 1', 'smismember KEY 1'],
  ...['zadd KEY 1 m', 'zrem KEY m', 'zcard KEY', 'zcount KEY 1 1', 'zscore KEY m', 'zrange KEY 0 1'],
  ...['zrevrange KEY 0 1', 'zrangebyscore KEY 0 1', 'zrevrangebyscore KEY 1 0', 'zrangebylex KEY - +'],
  ...['zlexcount KEY - +', 'zremrangebyscore KEY 0 1', 'zremrangebyrank KEY 0 1', 'zpopmin KEY', 'bzpopmin KEY 1'],
  ...['xadd KEY * f 1', 'xdel KEY 0-1', 'xlen KEY', 'xrange KEY - +', 'xtrim KEY MAXLEN 1', 'xread STREAMS KEY 0'],
  ...['eval return 1 KEY', 'evalsha 0000000000000000000000000000000000000000 1 KEY'],
  ...['publish r:stored:probe 1', 'time', 'ping', 'info server'],
];
