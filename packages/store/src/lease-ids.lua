-- lease-ids.lua: leases a contiguous block of message ids.
-- KEYS   r:{ids}:next
-- ARGV   how many
-- returns the first of the block, as text: Lua's own conversions lose digits of a number this large
-- cost   one GET, one SET
-- replay leases another block; the lost one is never used. Ids follow Redis' clock and never go back with it.
local time = redis.call('TIME')
local now = (tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)) * 2048
local first = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
local after = first + tonumber(ARGV[1])
if after > 9007199254740991 then return redis.error_reply('ERR message ids are used up') end
redis.call('SET', KEYS[1], string.format('%.0f', after))
return string.format('%.0f', first)
