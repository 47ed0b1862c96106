-- commit-part.lua: from here on an uploaded part belongs to its broadcast. Its lists are merged afterwards.
-- KEYS   about, parts, merging, the part's upload
-- ARGV   token of the upload, part, its record, accepted, duplicates, invalid
-- returns 'ok', or why not: 'lost' if the upload is not the one that has the part; else the state, if it is not open
-- cost   constant
-- replay finds its own record
local state = redis.call('HGET', KEYS[1], 'state')
if not state then return 'gone' end
if redis.call('HGET', KEYS[3], ARGV[2]) == ARGV[1] then return 'ok' end
if state ~= 'open' then return state end
if redis.call('GET', KEYS[4]) ~= ARGV[1] then return 'lost' end
if redis.call('HSETNX', KEYS[2], ARGV[2], ARGV[3]) == 0 then return 'lost' end
redis.call('HSET', KEYS[3], ARGV[2], ARGV[1])
redis.call('HINCRBY', KEYS[1], 'accepted', ARGV[4])
redis.call('HINCRBY', KEYS[1], 'duplicates', ARGV[5])
redis.call('HINCRBY', KEYS[1], 'invalid', ARGV[6])
redis.call('HSET', KEYS[1], 'uploaded', redis.call('TIME')[1])
return 'ok'
