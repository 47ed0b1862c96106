#!lua flags=allow-oom
-- sweep-logs.lua: looks at the next entries of some logs of a shard, and drops those that nobody may read any more. It frees
-- memory, so it runs even if Redis is full.
-- KEYS   of each log: seq, log
-- ARGV   LOG_RETENTION and LOG_MAX_AGE (0 keeps all), how many entries and how many bytes the call may look at; then of each
--        log: seq behind which to begin
-- returns {seconds of the clock; of each log: {seq behind which to go on, -1 at its end; dropped because of LOG_RETENTION,
--        LOG_MAX_AGE and `expire`; {references beyond LOG_RETENTION}; {other references}}}. Bodies are in other slots, so
--        the caller drops references. Of a damaged log {text of the error}.
-- cost   about 1 microsecond per entry, at most 16 KiB or 8 entries beyond the bytes
-- replay drops nothing twice
-- include ../include/sweep.lua
local retention, maxAge = tonumber(ARGV[1]), tonumber(ARGV[2])
local left, bytes = tonumber(ARGV[3]), tonumber(ARGV[4])

-- Which entries of a log stay, one page after the other.
local function look(log, held, after)
  local from = after == 0 and '-inf' or '(' .. string.format('%.0f', after)
  local rank = after == 0 and 0 or redis.call('ZCOUNT', log, '-inf', after)
  local over = retention > 0 and held - retention or 0
  local found = { next = after, retention = 0, age = 0, expired = 0, drop = {}, overReferences = {}, references = {} }
  local step = FIRST_STEP
  while left > 0 and bytes > 0 do
    local count = math.min(step, left)
    local some = redis.call('ZRANGE', log, from, '+inf', 'BYSCORE', 'LIMIT', 0, count, 'WITHSCORES')
    local size = 0
    for i = 1, #some, 2 do
      local entry = some[i]
      size = size + #entry
      local isOver = rank < over
      rank = rank + 1
      if isReference(entry) then
        local list = isOver and found.overReferences or found.references
        list[#list + 1] = entry
      else
        local reason = isOver and 'retention' or reasonToDrop(entry, maxAge)
        if reason then
          found[reason] = found[reason] + 1
          found.drop[#found.drop + 1] = entry
        end
      end
    end
    left, bytes = left - #some / 2, bytes - size
    if #some < 2 * count then
      found.next = -1
      return found
    end
    found.next = tonumber(some[#some])
    from = '(' .. some[#some]
    step = nextStep(size / count)
  end
  return found
end

local reply = { now }
for i = 1, #KEYS / 2 do
  local seqKey, log, after = KEYS[2 * i - 1], KEYS[2 * i], tonumber(ARGV[4 + i])
  local held = redis.pcall('ZCARD', log)
  if type(held) == 'table' then
    reply[#reply + 1] = { held.err }
  else
    local found = look(log, held, after)
    if #found.drop > 0 then
      -- From now on it holds less than its last seq, so it gets a counter (include/sequences.lua).
      redis.call('SET', seqKey, held, 'NX')
      redis.call('ZREM', log, unpack(found.drop))
    end
    reply[#reply + 1] =
      { found.next, found.retention, found.age, found.expired, found.overReferences, found.references }
  end
end
return reply
