/**
 * 2: a log or inbox has a counter only once something was removed from it. 3: subscribers are in a sorted set; an earlier
 * set is converted when it is first touched (include/subscribers.lua). 4: every process is a member (members.ts), and
 * append scripts refuse callers older than the shard's schema. 5: a new installation has even tags
 * (shardTags.ts), which earlier versions would not find. 6: the number of lanes can change while jobs are queued
 * (lanePlan.ts). 7: references wait for the indexer in outboxes (outbox/), where an earlier indexer would not look. What
 * schemas 1 to 6 wrote is valid in 7.
 */
export const SCHEMA = 7;
