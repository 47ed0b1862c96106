-- create-broadcast.lua: writes what a broadcast is, unless that was done.
-- KEYS   about
-- ARGV   seconds until it counts as abandoned; then fields and values
-- returns nothing
-- cost   the size of the payload
-- replay changes nothing
if redis.call('EXISTS', KEYS[1]) == 1 then return end
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
redis.call('HSET', KEYS[1], 'created', redis.call('TIME')[1])
redis.call('EXPIRE', KEYS[1], ARGV[1])
