-- take-turns.lua: gives the jobs of one sender their places on a lane among those of others (start-time fair queueing).
-- KEYS   turns of the lane: a hash with "now", the turn that is being worked, and "=<sender>", each one's last turn
-- ARGV   sender, its number of jobs, the last turn there is, milliseconds to keep the hash
-- returns the turn of the first job; the others follow one by one
-- cost   constant; every 256th call of many senders drops those who have nothing waiting
-- replay gives later turns; the earlier ones stay empty
local now = tonumber(redis.call('HGET', KEYS[1], 'now') or 0)
local own = tonumber(redis.call('HGET', KEYS[1], '=' .. ARGV[1]) or 0)
local most = tonumber(ARGV[3])
local first = math.min(math.max(now, own) + 1, most)
redis.call('HSET', KEYS[1], '=' .. ARGV[1], math.min(first + ARGV[2] - 1, most))
redis.call('PEXPIRE', KEYS[1], ARGV[4])
if first % 256 == 0 and redis.call('HLEN', KEYS[1]) > 1000 then
  local all = redis.call('HGETALL', KEYS[1])
  for i = 1, #all, 2 do
    if all[i] ~= 'now' and tonumber(all[i + 1]) <= now then redis.call('HDEL', KEYS[1], all[i]) end
  end
end
return first
