-- write-body.lua: stores a broadcast's body unless it exists, because a retry must neither change it nor limit its life.
-- KEYS   body
-- ARGV   what all recipients share (JSON), payload (base64), recipients, seconds until it counts as abandoned
-- returns nothing
-- cost   the size of the payload
-- replay changes nothing
if redis.call('EXISTS', KEYS[1]) == 1 then return end
redis.call('HSET', KEYS[1], 'm', ARGV[1], 'p', ARGV[2], 'n', ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[4])
