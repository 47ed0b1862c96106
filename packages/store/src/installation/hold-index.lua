-- hold-index.lua: claims the embedded index for an indexer, or keeps holding it.
-- KEYS   owner of the index; facts of the installation
-- ARGV   name of this indexer, what it tells (JSON), id of its index, milliseconds for which it holds
-- returns 1 if it holds the index, else what its owner tells
-- cost   constant
-- replay holds for longer
local held = redis.call('GET', KEYS[1])
if held and cjson.decode(held).name ~= ARGV[1] then return held end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[4])
redis.call('HSET', KEYS[2], 'index-id', ARGV[3])
return 1
