/** The page that an address shows. */
export type Shown = { page: 'overview' | 'broadcasts' | 'new' | 'dead' } | { page: 'broadcast'; no: string };

export function shownAt(path: string): Shown {
  if (path === '/broadcasts') return { page: 'broadcasts' };
  if (path === '/broadcasts/new') return { page: 'new' };
  if (path === '/dead') return { page: 'dead' };
  const no = /^\/broadcasts\/([^/]+)$/.exec(path)?.[1];
  return no === undefined ? { page: 'overview' } : { page: 'broadcast', no: decodeURIComponent(no) };
}
