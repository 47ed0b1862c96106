/** The nodes that a REDIS_URL names, and the login. */
export interface ClusterAddress {
  tls: boolean;
  nodes: { host: string; port: number }[];
  username?: string;
  password?: string;
}

const FORM = /^redis(s?)\+cluster:\/\/(?:([^/@?#:,]*)(?::([^/@?#,]*))?@)?([^/@?#]+)\/?$/;

/** Reads `redis+cluster://[user:password@]host:port[,host:port…]` or a comma list of `redis://` addresses. */
export function parseClusterUrl(url: string): ClusterAddress | undefined {
  const [first = '', ...others] = url.split(',');
  const isList = others.length > 0 && /^rediss?:\/\//.test(first);
  const rest = others.map((part) => part.replace(/^rediss?:\/\/(?:[^@]*@)?/, '').replace(/\/0?$/, ''));
  const joined = [first.replace(/^redis(s?):/, 'redis$1+cluster:').replace(/\/$/, ''), ...rest].join(',');
  const match = FORM.exec(isList ? joined : url);
  if (!match) return undefined;
  const [, tls, username = '', password = '', places = ''] = match;
  const nodes = places.split(',').map((place) => {
    const [, host = '', port = '6379'] = /^(.*?)(?::(\d+))?$/.exec(place) ?? [];
    return { host, port: Number(port) };
  });
  return {
    tls: tls === 's',
    nodes,
    ...(username === '' ? {} : { username: decodeURIComponent(username) }),
    ...(password === '' ? {} : { password: decodeURIComponent(password) }),
  };
}
