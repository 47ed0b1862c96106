-- freeze-subscribers.lua: keeps the subscribers of this shard as they are now, unless that was done for this command.
-- KEYS   subscribers, frozen list
-- ARGV   seconds to keep the list
-- returns how many they are. The list ends with an empty string: an empty list would not exist, and a replay would
--        freeze a later membership.
-- cost   the size of the set
-- replay returns the first answer
-- include include/subscribers.lua
if redis.call('EXISTS', KEYS[2]) == 0 then
  sortSubscribers(KEYS[1])
  redis.call('SORT', KEYS[1], 'BY', 'nosort', 'STORE', KEYS[2])
  redis.call('RPUSH', KEYS[2], '')
  redis.call('EXPIRE', KEYS[2], ARGV[1])
end
return redis.call('LLEN', KEYS[2]) - 1
