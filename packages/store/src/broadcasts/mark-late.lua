-- mark-late.lua: notes recipients of a broadcast whom its first try could not serve. The marks live as long as the body.
-- KEYS   body, bitmap of positions that are late
-- ARGV   positions
-- returns nothing
-- cost   one SETBIT per position
-- replay sets the same bits
local life = redis.call('PTTL', KEYS[1])
if life == -2 then return end
for _, position in ipairs(ARGV) do redis.call('SETBIT', KEYS[2], position, 1) end
if life > 0 then redis.call('PEXPIRE', KEYS[2], life) else redis.call('PERSIST', KEYS[2]) end
