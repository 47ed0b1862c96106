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

-- Drops the oldest `count` elements of a list; false where the caller has to mark their bodies first.
local function dropOldest(list, count)
  if refersToBody(redis.call('LRANGE', list, 0, count - 1)) then return false end
  redis.call('LTRIM', list, count, -1)
  return true
end

-- Elements that this call dropped because a list was over its bound.
local dropped = 0

-- Keeps the newest `keep` elements of a list that has `length`.
local function keepNewestOfList(list, keep, length)
  local count = math.min(length - keep, AT_ONCE)
  if not dropOldest(list, count) then return false end
  dropped = dropped + count
  return true
end

-- Keeps the newest `keep` entries of a log; false where the caller has to mark bodies first.
local function keepNewest(log, keep)
  local over = math.min(redis.call('ZCARD', log) - keep, AT_ONCE)
  if over <= 0 then return true end
  if refersToBody(redis.call('ZRANGE', log, 0, over - 1)) then return false end
  redis.call('ZREMRANGEBYRANK', log, 0, over - 1)
  return true
end
