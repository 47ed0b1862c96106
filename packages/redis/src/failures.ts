import { ReplicasLateError } from './replicas.ts';

const REPLY_CODES = [
  // Redis refuses a whole transaction if it refused one of its commands.
  'EXECABORT',
  'LOADING',
  'OOM',
  'READONLY',
  'MASTERDOWN',
  'CLUSTERDOWN',
  'TRYAGAIN',
  'BUSY',
  'MISCONF',
  'NOREPLICAS',
  // A master became a replica while, or just before, something waited for its replicas.
  'UNBLOCKED',
  'WAIT cannot be used with replica',
];

/** Errors that retrying cannot fix. Every other one is transient (invariant 3). */
const PERMANENT =
  /WRONGTYPE|not an integer|would overflow|user_script|Error running script|Script attempted|ERR wrong number|OUTDATED/;

/** Whether the same command may succeed later. Our own errors and bugs are never transient. */
export function isTransient(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error.name === 'ReplyError') {
    return REPLY_CODES.some((code) => error.message.includes(code)) || !PERMANENT.test(error.message);
  }
  return isConnectionError(error);
}

/** Whether Redis did not answer, or answered that it cannot serve now: the API's 503. */
export function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error.name === 'ReplyError') return REPLY_CODES.some((code) => error.message.includes(code));
  return isConnectionError(error);
}

/** Whether Redis had no memory for a command, or for one of a transaction, and did nothing. */
export function isOutOfMemory(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { previousErrors = [] } = error as Error & { previousErrors?: Error[] };
  return [error, ...previousErrors].some(({ name, message }) => name === 'ReplyError' && message.startsWith('OOM'));
}

function isConnectionError(error: Error): boolean {
  const code = 'code' in error ? String(error.code) : '';
  // Also a unix socket that is missing while Redis restarts (ENOENT), or whose queue is full (EAGAIN).
  if (error instanceof ReplicasLateError) return true;
  if ('syscall' in error && error.syscall === 'connect') return true;
  return (
    /^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOST|ENET)/.test(code) ||
    error.name === 'MaxRetriesPerRequestError' ||
    /Command timed out|Connection is closed|aborted due to connection close|Stream isn't writeable|connect ETIMEDOUT|Too many Cluster redirections|ClusterAllFailedError|Socket closed|reconnect/i.test(
      error.message,
    )
  );
}
