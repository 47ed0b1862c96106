#!lua flags=allow-oom
-- empty-commands.lua: replaces commands of an inbox by empty ones, unless something else has their seq by now.
-- KEYS   seq of the newest command, inbox
-- ARGV   the empty command; then of each: seq, the command
-- returns how many it replaced
-- cost   about 1 microsecond per command
-- replay replaces nothing
-- include ../include/inbox.lua
local length = redis.call('LLEN', KEYS[2])
local first = (counterOf(KEYS[1]) or length) - length + 1
local emptied = 0
for i = 2, #ARGV, 2 do
  local index = tonumber(ARGV[i]) - first
  if index >= 0 and redis.call('LINDEX', KEYS[2], index) == ARGV[i + 1] then
    redis.call('LSET', KEYS[2], index, ARGV[1])
    emptied = emptied + 1
  end
end
return emptied
