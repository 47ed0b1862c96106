-- note-state.lua: notes the state of a broadcast where the list and the metrics look.
-- KEYS   states, open, finished
-- ARGV   broadcast_no, state, seconds when it ended or 0
-- returns nothing
-- cost   constant
-- replay changes nothing
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
if ARGV[2] ~= 'open' then redis.call('SREM', KEYS[2], ARGV[1]) end
if ARGV[3] == '0' then
  redis.call('ZREM', KEYS[3], ARGV[1])
else
  redis.call('ZADD', KEYS[3], ARGV[3], ARGV[1])
end
