-- read-subscribers.lua: subscribers of one shard after a uid, by the bytes of their uids.
-- KEYS   subscribers
-- ARGV   uid, '' for the first ones; how many at most
-- returns the uids
-- cost   what it returns
-- replay reads again
-- include ../include/subscribers.lua
sortSubscribers(KEYS[1])
local from = ARGV[1] == '' and '-' or '(' .. ARGV[1]
return redis.call('ZRANGE', KEYS[1], from, '+', 'BYLEX', 'LIMIT', 0, ARGV[2])
