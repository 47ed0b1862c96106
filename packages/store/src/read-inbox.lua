-- read-inbox.lua: reads commands of a user at one moment.
-- KEYS   cursor, seq of the newest command, inbox
-- ARGV   message_seq of the request (0: from the cursor), at most so many
-- returns {seq of the first command returned, commands}
-- cost   what it returns: the list is gap-free, so the index follows from the seq
-- replay reads again
local cursor = tonumber(redis.call('GET', KEYS[1]) or '0')
local length = redis.call('LLEN', KEYS[3])
local newest = tonumber(redis.call('GET', KEYS[2]) or length)
local after = tonumber(ARGV[1])
if after == 0 or after > newest then after = cursor end
local index = math.max(after - (newest - length), 0)
return { newest - length + index + 1, redis.call('LRANGE', KEYS[3], index, index + tonumber(ARGV[2]) - 1) }
