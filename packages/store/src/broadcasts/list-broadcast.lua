-- list-broadcast.lua: lists a new broadcast as open, unless too many are open.
-- KEYS   states, open, list
-- ARGV   broadcast_no, its number, how many may be open
-- returns 1 if it is listed, 0 if too many are open
-- cost   constant
-- replay changes nothing
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1 then return 1 end
if redis.call('SCARD', KEYS[2]) >= tonumber(ARGV[3]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], 'open')
redis.call('SADD', KEYS[2], ARGV[1])
redis.call('ZADD', KEYS[3], ARGV[2], ARGV[1])
return 1
