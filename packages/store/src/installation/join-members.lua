-- join-members.lua: a process says that it lives and what it is, and learns who else lives.
-- KEYS   sorted set of processes, hash of what each tells about itself
-- ARGV   name of this process, what it tells (JSON), milliseconds after which a silent process is dropped
-- returns milliseconds by Redis' clock, then what all live processes tell: name, JSON, name, JSON, …
-- cost   the number of processes
-- replay says again that it lives
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local silent = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now - tonumber(ARGV[3]))
for _, name in ipairs(silent) do
  redis.call('ZREM', KEYS[1], name)
  redis.call('HDEL', KEYS[2], name)
end
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
local reply = redis.call('HGETALL', KEYS[2])
table.insert(reply, 1, now)
return reply
