#!lua flags=allow-oom
-- drop-inbox.lua: drops the commands of an inbox below a seq, in two steps: first it returns them, so that the caller
-- can count down the bodies they refer to; called again, it drops those that were returned. It runs even if Redis is full.
-- KEYS   seq of the newest command, inbox
-- ARGV   drop below this seq, the seq below which bodies are counted down already (0 at first), how many at most
-- returns {seq of the first entry returned, entries to count down}; no entries: done
-- cost   what it returns or drops
-- replay returns and drops nothing twice, because seqs name the entries
local length = redis.call('LLEN', KEYS[2])
local first = tonumber(redis.call('GET', KEYS[1]) or length) - length + 1
local below, counted = tonumber(ARGV[1]), tonumber(ARGV[2])
if counted > first then
  -- From now on it holds less than its last seq, so it gets a counter (include/sequences.lua).
  redis.call('SET', KEYS[1], length, 'NX')
  redis.call('LTRIM', KEYS[2], counted - first, -1)
  first = counted
end
if first >= below then return { first, {} } end
return { first, redis.call('LRANGE', KEYS[2], 0, math.min(below - first, tonumber(ARGV[3])) - 1) }
