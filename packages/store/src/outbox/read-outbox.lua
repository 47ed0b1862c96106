-- read-outbox.lua: reads the oldest references of an outbox.
-- KEYS   outbox, its counts
-- ARGV   references at most, bytes at most that they stand for, bytes that chunks count for, mark that takes the place of an
--        outbox that is no list
-- returns how many references were ever trimmed; then the references, at least one if there is any
-- cost   about 0.2 microseconds per reference
-- replay reads again
local most, bytes, ofChunk = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= 'list' and kind ~= 'none' then
  redis.call('UNLINK', KEYS[1])
  redis.call('RPUSH', KEYS[1], ARGV[4])
end
local ofCounts = redis.call('TYPE', KEYS[2]).ok
if ofCounts ~= 'hash' and ofCounts ~= 'none' then redis.call('UNLINK', KEYS[2]) end
-- References to chunks are long, so the first steps are short.
local trimmed = redis.call('HGET', KEYS[2], 'trimmed') or '0'
if not string.find(trimmed, '^%d+$') then
  redis.call('UNLINK', KEYS[2])
  trimmed = '0'
end
local page, step = { trimmed }, 4
while #page <= most do
  local some = redis.call('LRANGE', KEYS[1], #page - 1, #page + step - 2)
  for _, reference in ipairs(some) do
    local size = string.match(reference, '^%S+ m %d+ (%d+) ')
    bytes = bytes - #reference - (tonumber(size) or ofChunk)
    if #page > 1 and (bytes < 0 or #page > most) then return page end
    page[#page + 1] = reference
  end
  if #some < step then return page end
  step = math.min(step * 2, 128)
end
return page
