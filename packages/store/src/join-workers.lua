-- join-workers.lua: a worker process says that it lives, and learns who else does.
-- KEYS   sorted set of processes
-- ARGV   name of this process, milliseconds after which a silent one is dropped
-- returns the names of all that live, in the same order for everyone
-- cost   the number of processes
-- replay says again that it lives
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - tonumber(ARGV[2]))
redis.call('ZADD', KEYS[1], now, ARGV[1])
local names = redis.call('ZRANGE', KEYS[1], 0, -1)
table.sort(names)
return names
