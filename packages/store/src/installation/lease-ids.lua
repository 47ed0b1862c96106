-- lease-ids.lua: leases a contiguous block of message ids.
-- KEYS   r:{ids}:next, r:{ids}:run
-- ARGV   how many
-- returns the first of the block, as text: Lua's own conversions lose digits of a number this large
-- cost   one INFO of the server, two GETs, one SET
-- replay leases another block; the lost one is never used. Ids follow Redis' clock and never go back with it. A restarted
--        server may have forgotten its last leases, so more ids are skipped than those can have been.
local SKIPPED = 10 * 1000 * 2048
local time = redis.call('TIME')
local now = (tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)) * 2048
local kept = redis.call('GET', KEYS[1])
local first = math.max(tonumber(kept or '0'), now)
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
local isNewRun = redis.call('GET', KEYS[2]) ~= run
if isNewRun and kept then first = first + SKIPPED end
local after = first + tonumber(ARGV[1])
if after > 9007199254740991 then return redis.error_reply('ERR message ids are used up') end
redis.call('SET', KEYS[1], string.format('%.0f', after))
if isNewRun then redis.call('SET', KEYS[2], run) end
return string.format('%.0f', first)
