/** The address of a Redis that listens on the unix socket `path` (absolute) and asks for no password. */
export const unixUrl = (path: string): string => `redis+unix://${path.split('/').map(encodeURIComponent).join('/')}`;
