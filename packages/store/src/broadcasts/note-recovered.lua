-- note-recovered.lua: recipients that became dead letters are served now.
-- KEYS   progress
-- ARGV   positions
-- returns nothing
-- cost   constant per position
-- replay changes nothing
-- include ../include/progress.lua
local fields = {}
for i, position in ipairs(ARGV) do fields[i] = 'f' .. position end
addToSums(KEYS[1], { f = -redis.call('HDEL', KEYS[1], unpack(fields)) })
