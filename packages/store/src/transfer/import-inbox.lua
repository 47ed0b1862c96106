-- import-inbox.lua: puts commands of an export into an inbox, with the seqs that they had.
-- KEYS   seq of the newest command, inbox
-- ARGV   seq of the first of these commands; the commands, in order. None means: all below this seq are gone.
-- returns nothing
-- cost   about 2 microseconds per command
-- replay changes nothing, because seqs say which commands are there
-- include ../include/inbox.lua
local counter = counterOf(KEYS[1])
local newest = counter or redis.call('LLEN', KEYS[2])
local first = tonumber(ARGV[1])
local last = first + #ARGV - 2
if last <= newest then return end
local isGap = first > newest + 1
-- A list has no gaps: those before were dropped while the export was made.
if isGap then redis.call('DEL', KEYS[2]) end
for i = isGap and 2 or newest - first + 3, #ARGV do redis.call('RPUSH', KEYS[2], ARGV[i]) end
if counter or isGap then redis.call('SET', KEYS[1], string.format('%.0f', last)) end
