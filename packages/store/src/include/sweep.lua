-- What the sweep scripts share. A page is small at first, then as long as 16 KiB of entries.
local FIRST_STEP, LONGEST_STEP, STEP_BYTES = 16, 128, 16384
local now = tonumber(redis.call('TIME')[1])

local function nextStep(meanSize)
  return math.max(8, math.min(LONGEST_STEP, math.floor(STEP_BYTES / math.max(1, meanSize))))
end

-- An entry of a broadcast is a reference; every other entry is a JSON array (entries.ts).
local function isReference(entry)
  return string.byte(entry) ~= 91
end

-- After the payload, which is the last string that numbers follow, an entry has at most three strings of 128 characters.
-- Escaped quotes are preceded by a backslash, so no text that a client chose looks like this.
local TAIL, EXPIRE = 5000, '[^\\]",%d+,%d+,(%d+)'

-- Why a message must go, by its own times: 'expired', 'age' (`maxAge` 0: never), or nil if it stays.
local function reasonToDrop(entry, maxAge)
  local sent = tonumber(string.match(entry, '^%[%d+,(%d+),'))
  if not sent then return nil end
  local expire = tonumber(string.match(string.sub(entry, -TAIL), EXPIRE) or '0')
  if expire > 0 and sent + expire <= now then return 'expired' end
  if maxAge > 0 and sent + maxAge <= now then return 'age' end
  return nil
end
