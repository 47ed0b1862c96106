-- import-log.lua: puts entries of an export into a log, with the seqs that they had.
-- KEYS   seq, log
-- ARGV   a seq that the log's last one is not below (0 if none is known); then of each entry: its seq, itself
-- returns nothing
-- cost   about 3 microseconds per entry
-- replay changes nothing
for i = 2, #ARGV, 2 do redis.call('ZADD', KEYS[2], 'NX', ARGV[i], ARGV[i + 1]) end
local counter = redis.call('GET', KEYS[1])
local highest = redis.call('ZRANGE', KEYS[2], -1, -1, 'WITHSCORES')[2]
local last = math.max(tonumber(ARGV[1]), tonumber(counter or '0'), tonumber(highest or '0'))
-- A log without gaps at its beginning needs no counter (../include/sequences.lua).
if counter or redis.call('ZCARD', KEYS[2]) ~= last then redis.call('SET', KEYS[1], string.format('%.0f', last)) end
