#!lua flags=allow-oom
-- drop-expired.lua: drops entries of a log that nobody can read any more, so that no later read meets them.
-- KEYS   seq, log
-- ARGV   of each entry: itself, unix time at which it expires (0 if the body that it refers to is gone)
-- returns how many it dropped
-- cost   what it drops
-- replay drops nothing
local now = tonumber(redis.call('TIME')[1])
local gone = {}
for i = 1, #ARGV, 2 do
  if tonumber(ARGV[i + 1]) <= now then gone[#gone + 1] = ARGV[i] end
end
local held = redis.call('ZCARD', KEYS[2])
if #gone == 0 or held == 0 then return 0 end
-- From now on it holds less than its last seq, so it gets a counter (include/sequences.lua).
if redis.call('EXISTS', KEYS[1]) == 0 then redis.call('SET', KEYS[1], held) end
return redis.call('ZREM', KEYS[2], unpack(gone))
