-- set-up-broadcast.lua: keeps what a coordinator found out before the first recipient is handed out.
-- KEYS   about
-- ARGV   token of the coordinator; then fields and values
-- returns 1, or 0 if the caller must stop: another one coordinates, or the broadcast does not run
-- cost   constant
-- replay sets the same fields
local holder, state = unpack(redis.call('HMGET', KEYS[1], 'holder', 'state'))
if holder ~= ARGV[1] or state ~= 'running' then return 0 end
if #ARGV > 1 then redis.call('HSET', KEYS[1], unpack(ARGV, 2)) end
return 1
