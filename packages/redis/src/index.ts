export { connect } from './connect.ts';
export { countConnectionLosses } from './connectionLosses.ts';
export { execute } from './execute.ts';
export { isTransient, isUnavailable } from './failures.ts';
export { loadScript, type Script } from './loadScript.ts';
export { RedisClock } from './redisClock.ts';
export { redisMemory, reviewRedis, serverClock, serverRun } from './server.ts';
export { parseUnixUrl, unixUrl } from './unixUrl.ts';
export { untilServed } from './untilServed.ts';
