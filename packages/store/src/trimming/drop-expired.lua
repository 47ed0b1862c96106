#!lua flags=allow-oom
-- drop-expired.lua: drops entries of logs that nobody can read any more, so that no later read meets them. It frees memory, so
-- it runs even if Redis is full.
-- KEYS   of each log: seq, log
-- ARGV   of each log: how many entries; and of each of them: itself, unix time at which it expires (0 if the body that it
--        refers to is gone, or if it must go in any case)
-- returns of each log how many it dropped
-- cost   what it drops
-- replay drops nothing
local now = tonumber(redis.call('TIME')[1])
local dropped, arg = {}, 1
for i = 1, #KEYS / 2 do
  local seqKey, log, gone = KEYS[2 * i - 1], KEYS[2 * i], {}
  local after = arg + 2 * tonumber(ARGV[arg])
  for entry = arg + 1, after, 2 do
    if tonumber(ARGV[entry + 1]) <= now then gone[#gone + 1] = ARGV[entry] end
  end
  arg = after + 1
  local held = redis.call('ZCARD', log)
  dropped[i] = 0
  if #gone > 0 and held > 0 then
    -- From now on it holds less than its last seq, so it gets a counter (include/sequences.lua).
    redis.call('SET', seqKey, held, 'NX')
    dropped[i] = redis.call('ZREM', log, unpack(gone))
  end
end
return dropped
