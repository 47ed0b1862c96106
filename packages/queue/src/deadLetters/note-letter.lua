-- note-letter.lua: notes what a try of a dead letter came to, unless that try or a later one is noted already.
-- KEYS   the letter's job on the queue of dead letters
-- ARGV   number of the try, data, summary (JSON), reason
-- returns 1, 0 if there is no such letter
-- cost   constant
-- replay changes nothing
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
if tonumber(ARGV[1]) > tonumber(redis.call('HGET', KEYS[1], 'tries') or 0) then
  redis.call('HSET', KEYS[1], 'tries', ARGV[1], 'data', ARGV[2], 'summary', ARGV[3], 'failedReason', ARGV[4])
  redis.call('HDEL', KEYS[1], 'retrying')
end
return 1
