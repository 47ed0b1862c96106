-- note-chunks.lua: notes that chunks of a broadcast are stored, with Redis' present time.
-- KEYS   progress
-- ARGV   seconds to keep it unless it is held, number of chunks; of each chunk: number, recipients handled; then of each
--        recipient who became a dead letter: position, what is known of it (JSON)
-- returns nothing
-- cost   constant per chunk and recipient
-- replay sets the same fields, with a later time
-- include ../include/progress.lua
local progress, now = KEYS[1], redis.call('TIME')[1]
local chunks = tonumber(ARGV[2])
local handled, failed = 0, 0
for i = 0, chunks - 1 do
  local field, size = 's' .. ARGV[3 + 2 * i], ARGV[4 + 2 * i]
  handled = handled + size * redis.call('HSET', progress, field, size .. ':' .. now)
end
for i = 3 + 2 * chunks, #ARGV, 2 do
  failed = failed + redis.call('HSET', progress, 'f' .. ARGV[i], now .. ':' .. ARGV[i + 1])
end
addToSums(progress, { h = handled, f = failed }, now)
keepProgress(progress, ARGV[1])
