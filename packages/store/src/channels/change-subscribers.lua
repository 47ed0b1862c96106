-- change-subscribers.lua: adds and removes subscribers of one shard, in the channel's sorted set and in each user's groups.
-- KEYS   subscribers; then the groups key of each user, the added first
-- ARGV   channel name, how many are added; then the uids in the same order
-- returns the uids whose groups are damaged, and why: uid, reason, …; nothing was changed for them
-- cost   two commands per user
-- replay changes nothing
-- include ../include/subscribers.lua
sortSubscribers(KEYS[1])
-- If the subscribers themselves are damaged, this raises before the first write.
redis.call('ZCARD', KEYS[1])
local added = tonumber(ARGV[2])
local damaged = {}
for i = 1, #KEYS - 1 do
  local uid = ARGV[i + 2]
  local changed = redis.pcall(i <= added and 'SADD' or 'SREM', KEYS[i + 1], ARGV[1])
  if type(changed) == 'table' then
    damaged[#damaged + 1], damaged[#damaged + 2] = uid, changed.err
  elseif i <= added then
    redis.call('ZADD', KEYS[1], 0, uid)
  else
    redis.call('ZREM', KEYS[1], uid)
  end
end
return damaged
