-- read-log.lua: reads entries of a log from one of its ends, up to a number of entries or bytes.
-- KEYS   log
-- ARGV   where to begin and where to end, as ZRANGE BYSCORE takes them; "up" or "down"; how many entries at most; bytes after
--        which it stops
-- returns {entry, seq, entry, seq, …; 1 if nothing is left behind them, else 0; seconds of the clock}
-- cost   what it returns, at most 8 entries beyond the bytes
-- replay reads again
local STEP = 8
local from, left, bytes = ARGV[1], tonumber(ARGV[4]), tonumber(ARGV[5])
local page, isEnd = {}, 0
while left > 0 and bytes > 0 do
  local count = math.min(left, STEP)
  local some
  if ARGV[3] == 'up' then
    some = redis.call('ZRANGE', KEYS[1], from, ARGV[2], 'BYSCORE', 'LIMIT', 0, count, 'WITHSCORES')
  else
    some = redis.call('ZRANGE', KEYS[1], from, ARGV[2], 'BYSCORE', 'REV', 'LIMIT', 0, count, 'WITHSCORES')
  end
  for i = 1, #some do page[#page + 1] = some[i] end
  if #some < 2 * count then
    isEnd = 1
    break
  end
  for i = 1, #some, 2 do bytes = bytes - #some[i] end
  from = '(' .. some[#some]
  left = left - count
end
return { page, isEnd, tonumber(redis.call('TIME')[1]) }
