-- begin-installation.lua: fixes what a new installation keeps for ever. In one step, because processes start together and
-- an installation that began without tags keeps its decimal ones.
-- KEYS   facts of the installation
-- ARGV   schema, number of shards, how keys name them
-- returns nothing
-- cost   constant
-- replay changes nothing
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('HSET', KEYS[1], 'schema', ARGV[1], 'shards', ARGV[2], 'tags', ARGV[3])
else
  redis.call('HSETNX', KEYS[1], 'schema', ARGV[1])
  redis.call('HSETNX', KEYS[1], 'shards', ARGV[2])
end
