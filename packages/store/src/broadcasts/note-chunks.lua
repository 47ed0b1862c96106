-- note-chunks.lua: notes that chunks of a broadcast are stored, with Redis' present time.
-- KEYS   progress
-- ARGV   seconds to keep it, number of chunks; of each chunk: number, recipients handled; then positions that became dead letters
-- returns nothing
-- cost   constant per chunk and position
-- replay sets the same fields, with a later time
local now = redis.call('TIME')[1]
local chunks = tonumber(ARGV[2])
for i = 0, chunks - 1 do
  redis.call('HSET', KEYS[1], 's' .. ARGV[3 + 2 * i], ARGV[4 + 2 * i] .. ':' .. now)
end
for i = 3 + 2 * chunks, #ARGV do
  redis.call('HSET', KEYS[1], 'f' .. ARGV[i], '1')
end
redis.call('EXPIRE', KEYS[1], ARGV[1])
