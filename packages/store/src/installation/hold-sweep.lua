#!lua flags=allow-oom
-- hold-sweep.lua: makes a worker the one that sweeps, or keeps it so.
-- KEYS   name of the worker that sweeps
-- ARGV   name of this worker, milliseconds for which it sweeps
-- returns 1 if it sweeps, 0 if another one does
-- cost   constant
-- replay holds for longer
local held = redis.call('GET', KEYS[1])
if held and held ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
