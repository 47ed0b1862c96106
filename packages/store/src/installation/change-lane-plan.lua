-- change-lane-plan.lua: replaces the plan of the lanes, if nobody else has done so.
-- KEYS   facts of the installation
-- ARGV   the plan that the caller knows (JSON; '' if there was none), the new one, its number of lanes
-- returns 1, or 0 if there is another plan
-- cost   constant
-- replay returns 0
if (redis.call('HGET', KEYS[1], 'lane-plan') or '') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'lane-plan', ARGV[2], 'lanes', ARGV[3])
return 1
