-- acknowledge.lua: moves a user's cursor forward, never back and never past the newest command. Then drops the acknowledged
-- commands except for the last INBOX_KEEP.
-- KEYS   cursor, seq of the newest command, inbox
-- ARGV   last_message_seq, INBOX_KEEP
-- returns 0, or a seq: the caller must drop the commands below it, because some refer to a body (drop-inbox.lua)
-- cost   what it drops
-- replay changes nothing
-- include ../include/trim.lua
-- include ../include/inbox.lua
local length = redis.call('LLEN', KEYS[3])
local newest = counterOf(KEYS[2]) or length
local cursor = counterOf(KEYS[1]) or 0
local acknowledged = math.min(tonumber(ARGV[1]), newest)
if acknowledged > cursor then
  cursor = acknowledged
  redis.call('SET', KEYS[1], string.format('%.0f', cursor))
end
local below = cursor - tonumber(ARGV[2]) + 1
local count = below - (newest - length + 1)
if count <= 0 then return 0 end
if count <= AT_ONCE and dropOldest(KEYS[2], KEYS[3], count, length) == count then return 0 end
return below
