-- note-turn.lua: notes which turn of a lane is being worked: new senders start right behind it (take-turns.lua).
-- KEYS   turns of the lane
-- ARGV   the turn
-- returns nothing
-- cost   constant
-- replay changes nothing: a job that is started again does not turn it back
if tonumber(ARGV[1]) > tonumber(redis.call('HGET', KEYS[1], 'now') or 0) then
  redis.call('HSET', KEYS[1], 'now', ARGV[1])
end
