-- take-broadcast.lua: makes the caller the coordinator of a broadcast. Who was it before writes nothing more.
-- KEYS   about
-- ARGV   number of the run, token of the coordinator
-- returns 1 if there is something to do; 0 if not, or if a later run has it; seconds to wait below 0 if it is too early
-- cost   constant
-- replay takes it again
local about = KEYS[1]
local state, run, finished, startAt = unpack(redis.call('HMGET', about, 'state', 'run', 'finished', 'start_at'))
if not state or run ~= ARGV[1] or finished or state == 'open' then return 0 end
redis.call('HSET', about, 'holder', ARGV[2])
if state == 'scheduled' then
  local now = redis.call('TIME')[1]
  local wait = tonumber(startAt or 0) - tonumber(now)
  if wait > 0 then return -wait end
  redis.call('HSET', about, 'state', 'running', 'started', now)
end
return 1
