-- An entry of a broadcast is a reference; every other entry is a JSON array. A broadcast's body is counted down before its
-- entries are trimmed (mark-gone.lua, in another slot), so a script may only drop entries that refer to nothing.

-- A lowered bound is reached in steps, one per append, so that a script call stays short. Each entry is read, so large ones
-- make a smaller step.
local AT_ONCE, BYTES_AT_ONCE, STEP = 1000, 4 * 1024 * 1024, 16

-- How many of the oldest `most` entries may go now; nil if one of them refers to a body. `read` takes two indexes.
local function droppable(read, most)
  local count, bytes = 0, 0
  while count < most and bytes < BYTES_AT_ONCE do
    local some = read(count, math.min(count + STEP, most) - 1)
    if #some == 0 then break end
    for _, entry in ipairs(some) do
      if string.byte(entry) ~= 91 then return nil end
      bytes = bytes + #entry
    end
    count = count + #some
  end
  return count
end

-- Drops the oldest `most` elements of an inbox that has `length`, or some of them; returns how many, nil if the caller
-- has to mark their bodies first. From now on it holds less than its last seq, so it gets a counter (include/sequences.lua).
local function dropOldest(seqKey, inbox, most, length)
  redis.call('SET', seqKey, length, 'NX')
  local count = droppable(function(from, to) return redis.call('LRANGE', inbox, from, to) end, most)
  if count then redis.call('LTRIM', inbox, count, -1) end
  return count
end

-- Elements that this call dropped because an inbox was over its bound.
local dropped = 0

-- Keeps the newest `keep` elements of an inbox that has `length`; false if the caller has to mark bodies first.
local function keepNewestOfList(seqKey, inbox, keep, length)
  local count = dropOldest(seqKey, inbox, math.min(length - keep, AT_ONCE), length)
  if not count then return false end
  dropped = dropped + count
  return true
end

-- Keeps the newest `keep` entries of a log; false if the caller has to mark bodies first. A log that is over its
-- bound gets a counter, as above.
local function keepNewest(seqKey, log, keep)
  local held = redis.call('ZCARD', log)
  local over = math.min(held - keep, AT_ONCE)
  if over <= 0 then return true end
  redis.call('SET', seqKey, held, 'NX')
  local count = droppable(function(from, to) return redis.call('ZRANGE', log, from, to) end, over)
  if not count then return false end
  if count > 0 then redis.call('ZREMRANGEBYRANK', log, 0, count - 1) end
  return true
end
