-- open-progress.lua: keeps the plan of a broadcast, unless there is one.
-- KEYS   progress
-- ARGV   plan (JSON), seconds to keep it, 1 to hold it until it is released
-- returns the plan that counts
-- cost   the size of the plan
-- replay returns the first plan
-- include ../include/progress.lua
local progress = KEYS[1]
if redis.call('HSETNX', progress, 'plan', ARGV[1]) == 1 and redis.call('HLEN', progress) == 1 then
  redis.call('HSET', progress, '=h', 0, '=f', 0, '=i', 0, '=t', 0)
end
if ARGV[3] == '1' then
  redis.call('HSET', progress, 'held', 1)
  redis.call('PERSIST', progress)
end
keepProgress(progress, ARGV[2])
return redis.call('HGET', progress, 'plan')
