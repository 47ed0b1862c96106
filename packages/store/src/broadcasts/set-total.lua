-- set-total.lua: sets how many entries refer to a body, unless it is gone.
-- KEYS   body
-- ARGV   entries
-- returns nothing
-- cost   constant
-- replay changes nothing
if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('HSET', KEYS[1], 'n', ARGV[1]) end
