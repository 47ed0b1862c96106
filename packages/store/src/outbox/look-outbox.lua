-- look-outbox.lua: tells what waits in an outbox, and nothing as long as a reference.
-- KEYS   outbox, its counts
-- returns how many references there are, recipients of them beyond one each, how the oldest begins. An outbox that is no list counts
--        as one reference: reading it puts a mark in its place
-- cost   about 3 microseconds
-- replay looks again
local kind = redis.call('TYPE', KEYS[1]).ok
if kind == 'none' then return { 0, '0', '' } end
if kind ~= 'list' then return { 1, '0', '' } end
local more = redis.pcall('HGET', KEYS[2], 'more')
if type(more) ~= 'string' then more = '0' end
local first = string.sub(redis.call('LINDEX', KEYS[1], 0), 1, 16)
return { redis.call('LLEN', KEYS[1]), more, first }
