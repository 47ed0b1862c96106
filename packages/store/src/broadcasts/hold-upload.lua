-- hold-upload.lua: takes a part for an upload, or keeps it.
-- KEYS   the part's upload
-- ARGV   token, milliseconds to hold it
-- returns 1 if the upload has the part, 0 if another one has
-- cost   constant
-- replay holds it again
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
