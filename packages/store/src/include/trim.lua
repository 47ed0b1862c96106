-- An entry of a broadcast is a reference; every other entry is a JSON array. A broadcast's body is counted down before
-- its entries go (mark-gone.lua, another slot), so a script may drop by itself only entries that refer to nothing.
local function refersToBody(entries)
  for _, entry in ipairs(entries) do
    if string.byte(entry) ~= 91 then return true end
  end
  return false
end

-- A bound that was lowered is reached in steps, one an append: a script call is short.
local AT_ONCE = 1000

-- Drops the oldest `count` elements of an inbox that has `length`; false where the caller has to mark their bodies
-- first. From now on it holds less than its last seq, so it gets a counter (include/store.lua).
local function dropOldest(seqKey, inbox, count, length)
  redis.call('SET', seqKey, length, 'NX')
  if refersToBody(redis.call('LRANGE', inbox, 0, count - 1)) then return false end
  redis.call('LTRIM', inbox, count, -1)
  return true
end

-- Elements that this call dropped because an inbox was over its bound.
local dropped = 0

-- Keeps the newest `keep` elements of an inbox that has `length`.
local function keepNewestOfList(seqKey, inbox, keep, length)
  local count = math.min(length - keep, AT_ONCE)
  if not dropOldest(seqKey, inbox, count, length) then return false end
  dropped = dropped + count
  return true
end

-- Keeps the newest `keep` entries of a log; false where the caller has to mark bodies first. A log that is over its
-- bound gets a counter, as above.
local function keepNewest(seqKey, log, keep)
  local held = redis.call('ZCARD', log)
  local over = math.min(held - keep, AT_ONCE)
  if over <= 0 then return true end
  redis.call('SET', seqKey, held, 'NX')
  if refersToBody(redis.call('ZRANGE', log, 0, over - 1)) then return false end
  redis.call('ZREMRANGEBYRANK', log, 0, over - 1)
  return true
end
