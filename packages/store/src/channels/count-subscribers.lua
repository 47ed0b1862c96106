-- count-subscribers.lua: how many subscribers of a channel live in this shard.
-- KEYS   subscribers
-- returns how many
-- cost   constant
-- replay counts again
-- A set of an earlier version counts as it is (include/subscribers.lua).
if redis.call('TYPE', KEYS[1]).ok == 'set' then return redis.call('SCARD', KEYS[1]) end
return redis.call('ZCARD', KEYS[1])
