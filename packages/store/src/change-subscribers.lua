-- change-subscribers.lua: adds and removes subscribers of one shard, in the channel's set and in each user's groups.
-- KEYS   subscribers; then the groups key of each user, the added first
-- ARGV   channel name, how many are added; then the uids in the same order
-- returns nothing
-- cost   two commands a user
-- replay changes nothing
local added = tonumber(ARGV[2])
for i = 1, #KEYS - 1 do
  local uid = ARGV[i + 2]
  if i <= added then
    redis.call('SADD', KEYS[1], uid)
    redis.call('SADD', KEYS[i + 1], ARGV[1])
  else
    redis.call('SREM', KEYS[1], uid)
    redis.call('SREM', KEYS[i + 1], ARGV[1])
  end
end
