#!lua flags=allow-oom
-- mark-gone.lua: notes that entries which refer to a body are about to be trimmed; with the last one the body is deleted.
-- It runs even if Redis is full, because what follows it frees memory.
-- KEYS   body, bitmap of positions that are gone, bitmap of positions that are late
-- ARGV   positions
-- returns 1 if the body was deleted
-- cost   one SETBIT per position, one BITCOUNT
-- replay sets the same bits
local total = redis.call('HGET', KEYS[1], 'n')
if not total then
  redis.call('DEL', KEYS[2], KEYS[3])
  return 0
end
for _, position in ipairs(ARGV) do redis.call('SETBIT', KEYS[2], position, 1) end
if redis.call('BITCOUNT', KEYS[2]) < tonumber(total) then return 0 end
redis.call('DEL', KEYS[1], KEYS[2], KEYS[3])
return 1
