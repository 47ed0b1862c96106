-- finish-broadcast.lua: ends a broadcast whose last job has ended.
-- KEYS   about, flight
-- ARGV   token of the coordinator, 1 if all of its recipients failed, recipients that were stored or failed
-- returns the final state; '' if something is left to do, or if the caller is not its coordinator any more
-- cost   constant
-- replay returns ''
local about = KEYS[1]
local holder, state, finished, retrying, ended, claimed, total, ready =
  unpack(redis.call('HMGET', about, 'holder', 'state', 'finished', 'retrying', 'ended', 'claimed', 'total', 'ready'))
if holder ~= ARGV[1] or finished or redis.call('HLEN', KEYS[2]) > 0 then return '' end
if state == 'running' then
  if retrying then
    state = ended
  elseif ready and (claimed or '0') == total then
    state = 'done'
  else
    return ''
  end
  if state ~= 'cancelled' then state = ARGV[2] == '1' and 'failed' or 'done' end
elseif state ~= 'cancelled' then
  return ''
end
-- Redis may have forgotten a claim, by a power failure, that a worker knew of: then more were served than were claimed.
local handled = tonumber(ARGV[3])
if handled > tonumber(claimed or 0) then
  local rest = string.format('%.0f', tonumber(total) - handled)
  redis.call('HSET', about, 'claimed', string.format('%.0f', handled), 'cancelled', rest)
end
redis.call('HSET', about, 'state', state, 'finished', redis.call('TIME')[1])
redis.call('HDEL', about, 'retrying', 'ended', 'holder')
return state
