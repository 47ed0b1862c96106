-- claim-recipients.lua: hands recipients of some shards to a job. What is claimed is going to be stored, whatever happens
--        next; what is not claimed when a broadcast is cancelled never will be. So this is where its counts are decided.
-- KEYS   about, flight, cursors
-- ARGV   token of the coordinator, id of the job, what the job is (JSON), recipients; recipients a second, 0 without a limit;
--        then of each shard its number, the cursor that the caller expects, the next one
-- returns 0 if they are claimed, milliseconds to wait if that is too early by its rate, -1 if the caller must look again
-- cost   one HGET and one HSET a shard
-- replay of the same cursors claims nothing
local about = KEYS[1]
local holder, state, ready, allowedAt = unpack(redis.call('HMGET', about, 'holder', 'state', 'ready', 'allowed_at'))
-- Redis may have forgotten, by a power failure, that the recipients have positions.
if holder ~= ARGV[1] or state ~= 'running' or not ready then return -1 end
for i = 6, #ARGV, 3 do
  if (redis.call('HGET', KEYS[3], ARGV[i]) or '0:0') ~= ARGV[i + 1] then return -1 end
end
local count, rate = tonumber(ARGV[4]), tonumber(ARGV[5])
if rate > 0 then
  local time = redis.call('TIME')
  local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
  -- A token bucket as the moment from which the next recipients are allowed. A late coordinator catches up half a second.
  local from = tonumber(allowedAt or now)
  if from > now then return math.ceil(from - now) end
  redis.call('HSET', about, 'allowed_at', string.format('%.3f', math.max(from, now - 500) + count * 1000 / rate))
end
for i = 6, #ARGV, 3 do redis.call('HSET', KEYS[3], ARGV[i], ARGV[i + 2]) end
redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
redis.call('HINCRBY', about, 'claimed', count)
return 0
