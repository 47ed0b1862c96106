-- delete-if-equal.lua: deletes a key that still holds what the caller put there.
-- KEYS   the key
-- ARGV   the value
-- returns how many keys it deleted
-- cost   constant
-- replay deletes nothing, unless the same value was set again
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
