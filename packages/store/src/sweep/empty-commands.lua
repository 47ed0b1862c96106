#!lua flags=allow-oom
-- empty-commands.lua: replaces commands of inboxes by empty ones, unless something else has their seq by now. It frees memory,
-- so it runs even if Redis is full.
-- KEYS   of each inbox: seq of the newest command, inbox
-- ARGV   the empty command; then of each inbox: how many commands; and of each of them: seq, the command
-- returns how many it replaced
-- cost   about 1 microsecond per command
-- replay replaces nothing
-- include ../include/inbox.lua
local emptied, arg = 0, 2
for i = 1, #KEYS / 2 do
  local seqKey, inbox = KEYS[2 * i - 1], KEYS[2 * i]
  local length = redis.call('LLEN', inbox)
  local first = (counterOf(seqKey) or length) - length + 1
  local after = arg + 2 * tonumber(ARGV[arg])
  for command = arg + 1, after, 2 do
    local index = tonumber(ARGV[command]) - first
    if index >= 0 and redis.call('LINDEX', inbox, index) == ARGV[command + 1] then
      redis.call('LSET', inbox, index, ARGV[1])
      emptied = emptied + 1
    end
  end
  arg = after + 1
end
return emptied
