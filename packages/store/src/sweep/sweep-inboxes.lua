#!lua flags=allow-oom
-- sweep-inboxes.lua: looks at the next commands of some inboxes of a shard. An inbox has no gaps, so an expired command in its
-- middle is replaced by an empty one, which readers leave out. It frees memory, so it runs even if Redis is full.
-- KEYS   of each inbox: cursor, seq of the newest command, inbox
-- ARGV   INBOX_KEEP, INBOX_MAX, the empty command, how many commands and how many bytes the call may look at; then of each
--        inbox: seq after which to begin
-- returns {seconds of the clock; of each inbox: {seq after which to go on, -1 at its end; how many it emptied; the caller must
--        drop commands below this seq (0: none), because they are acknowledged or too many; {seq, reference, …}}}. Of a damaged inbox {text of the error}.
-- cost   about 1 microsecond per command, at most 16 KiB or 8 commands beyond the bytes
-- replay empties nothing twice
-- include ../include/sweep.lua
-- include ../include/inbox.lua
local keep, most, empty = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]
local left, bytes = tonumber(ARGV[4]), tonumber(ARGV[5])

local function sweep(cursorKey, seqKey, inbox, after)
  local length = redis.call('LLEN', inbox)
  local newest = counterOf(seqKey) or length
  local first = newest - length + 1
  local below = math.max((counterOf(cursorKey) or 0) - keep + 1, newest - most + 1, first)
  local index, emptied, references, step = math.max(after + 1, below) - first, 0, {}, FIRST_STEP
  local begin = index
  while index < length and left > 0 and bytes > 0 do
    local some = redis.call('LRANGE', inbox, index, index + math.min(step, left) - 1)
    local size = 0
    for _, command in ipairs(some) do
      size = size + #command
      if command ~= empty then
        if isReference(command) then
          references[#references + 1] = first + index
          references[#references + 1] = command
        elseif reasonToDrop(command, 0) then
          redis.call('LSET', inbox, index, empty)
          emptied = emptied + 1
        end
      end
      index = index + 1
    end
    left, bytes, step = left - #some, bytes - size, nextStep(size / #some)
  end
  -- A call that has looked at enough in other inboxes begins with this one the next time.
  local goOn = index == begin and after or first + index - 1
  if begin == 0 then
    local oldest = 0
    while oldest < index and redis.call('LINDEX', inbox, oldest) == empty do oldest = oldest + 1 end
    if oldest > 0 then
      -- From now on it holds less than its last seq, so it gets a counter (include/sequences.lua).
      redis.call('SET', seqKey, length, 'NX')
      redis.call('LTRIM', inbox, oldest, -1)
    end
  end
  return { index < length and goOn or -1, emptied, below > first and below or 0, references }
end

local reply = { now }
for i = 1, #KEYS / 3 do
  local isFine, result = pcall(sweep, KEYS[3 * i - 2], KEYS[3 * i - 1], KEYS[3 * i], tonumber(ARGV[5 + i]))
  reply[#reply + 1] = isFine and result or { type(result) == 'table' and result.err or tostring(result) }
end
return reply
