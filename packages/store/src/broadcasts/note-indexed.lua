-- note-indexed.lua: notes how many recipients of a broadcast's parts can find it.
-- KEYS   progress
-- ARGV   seconds to keep it unless it is held; of each part: field, recipients
-- returns nothing
-- cost   constant per part
-- replay sets the same fields
-- include ../include/progress.lua
local progress, indexed = KEYS[1], 0
for i = 2, #ARGV, 2 do
  local before = redis.call('HGET', progress, ARGV[i])
  redis.call('HSET', progress, ARGV[i], ARGV[i + 1])
  indexed = indexed + tonumber(ARGV[i + 1]) - (tonumber(before or 0) or 0)
end
addToSums(progress, { i = indexed })
keepProgress(progress, ARGV[1])
