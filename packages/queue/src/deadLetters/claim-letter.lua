-- claim-letter.lua: reserves a dead letter for the one job that tries it again.
-- KEYS   the letter's job on the queue of dead letters, failed jobs of that queue
-- ARGV   id of the letter, id of the job that tries it again, tries so far, milliseconds, and of how long another job's claim counts
-- returns 1 if the letter is that job's, 0 if another job has it or it was tried meanwhile, -1 if it is gone
-- cost   constant
-- replay returns 1 again
if not redis.call('ZSCORE', KEYS[2], ARGV[1]) then return -1 end
local tries = redis.call('HGET', KEYS[1], 'tries')
if tries and tries ~= ARGV[3] then return 0 end
local retrying = redis.call('HGET', KEYS[1], 'retrying')
if retrying then
  local since, job = string.match(retrying, '^(%d+) (.*)$')
  if job == ARGV[2] then return 1 end
  if tonumber(since) + tonumber(ARGV[5]) > tonumber(ARGV[4]) then return 0 end
end
redis.call('HSET', KEYS[1], 'retrying', ARGV[4] .. ' ' .. ARGV[2])
return 1
