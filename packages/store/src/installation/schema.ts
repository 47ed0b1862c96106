/**
 * 2: a log or inbox has a counter only once something was removed from it. 3: subscribers are in a sorted set; an earlier
 * set is converted when it is first touched (include/subscribers.lua). 4: every process is a member (members.ts), and
 * append scripts refuse callers older than the shard's schema. What schemas 1 to 3 wrote is valid in 4.
 */
export const SCHEMA = 4;
