-- hold-upload.lua: takes a part for an upload, or keeps it, which a Redis without memory allows, too.
-- KEYS   the part's upload
-- ARGV   token, milliseconds to hold it
-- returns 1 if the upload has the part, 0 if another one has
-- cost   constant
-- replay holds it again
local holder = redis.call('GET', KEYS[1])
if not holder then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  return 1
end
if holder ~= ARGV[1] then return 0 end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
