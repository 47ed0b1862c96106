-- claim-recipients.lua: hands recipients of one shard to a job. What is claimed is going to be stored, whatever happens
--        next; what is not claimed when a broadcast is cancelled never will be. So this is where its counts are decided.
-- KEYS   about, flight, cursors
-- ARGV   token of the coordinator, id of the job, what the job is (JSON); shard, cursor that the caller expects, the next
--        one; recipients; recipients a second, 0 without a limit
-- returns 0 if they are claimed, milliseconds to wait if that is too early by its rate, -1 if the caller must look again
-- cost   constant
-- replay of the same cursor claims nothing
local about = KEYS[1]
local holder, state, allowedAt = unpack(redis.call('HMGET', about, 'holder', 'state', 'allowed_at'))
if holder ~= ARGV[1] or state ~= 'running' then return -1 end
if (redis.call('HGET', KEYS[3], ARGV[4]) or '0:0') ~= ARGV[5] then return -1 end
local count, rate = tonumber(ARGV[7]), tonumber(ARGV[8])
if rate > 0 then
  local time = redis.call('TIME')
  local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
  -- A token bucket as the moment from which the next recipients are allowed. A late coordinator catches up half a second.
  local from = tonumber(allowedAt or now)
  if from > now then return math.ceil(from - now) end
  redis.call('HSET', about, 'allowed_at', string.format('%.3f', math.max(from, now - 500) + count * 1000 / rate))
end
redis.call('HSET', KEYS[3], ARGV[4], ARGV[6])
redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
redis.call('HINCRBY', about, 'claimed', count)
return 0
