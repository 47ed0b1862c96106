-- merge-staged.lua: appends the recipients of an uploaded part to those of the broadcast, in one shard.
-- KEYS   recipients, staged
-- returns nothing
-- cost   the size of the part in this shard
-- replay finds nothing staged
local staged = redis.call('GET', KEYS[2])
if not staged then return end
redis.call('APPEND', KEYS[1], staged)
redis.call('DEL', KEYS[2])
