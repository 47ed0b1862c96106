-- read-inbox.lua: reads commands of a user at one moment.
-- KEYS   cursor, seq of the newest command, inbox
-- ARGV   message_seq of the request (0: from the cursor, -1: from the oldest), how many at most, bytes after which it stops
-- returns {seq of the first command returned, commands, 1 if nothing is left behind them, else 0; seconds of the clock}
-- cost   what it returns, at most 8 commands beyond the bytes: the list is gap-free, so the index follows from the seq
-- replay reads again
-- include ../include/inbox.lua
local STEP = 8
local cursor = counterOf(KEYS[1]) or 0
local length = redis.call('LLEN', KEYS[3])
local newest = counterOf(KEYS[2]) or length
local after, left, bytes = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
if after == 0 or after > newest then after = cursor end
local first = math.max(after - (newest - length), 0)
local commands, index = {}, first
while left > 0 and bytes > 0 and index < length do
  local some = redis.call('LRANGE', KEYS[3], index, index + math.min(left, STEP) - 1)
  for i = 1, #some do
    commands[#commands + 1] = some[i]
    bytes = bytes - #some[i]
  end
  index, left = index + #some, left - #some
end
return { newest - length + first + 1, commands, index >= length and 1 or 0, tonumber(redis.call('TIME')[1]) }
