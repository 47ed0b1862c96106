-- A seq is only given together with an entry, so neither a gap nor a repeat can remain. The last seq of a log or inbox is its
-- counter. As long as nothing was removed from it, it needs none: the last seq is the number of its entries. Whoever removes
-- something makes the counter first (include/trim.lua). Nothing raises, because a script that stops half-way is not rolled
-- back. Each append returns the seq, 0 if the log had the entry, or the error's text.
local pcall = redis.pcall

-- Seqs are uint32 in the contract. Clients that read them so would take the next one for an old one.
local LAST_SEQ = 4294967295

-- The place's next seq by its counter, which is made if there is none; `size` is the command that counts its entries.
local function nextSeq(seqKey, place, size)
  local seq = pcall('INCR', seqKey)
  if type(seq) == 'table' then return seq end
  if seq < 1 or seq > LAST_SEQ then
    pcall('DECR', seqKey)
    if seq < 1 then return { err = 'ERR value is not an integer from 0 on: the counter is damaged' } end
    return { err = 'ERR every message_seq up to 4294967295 is given away: the channel or inbox is full for ever' }
  end
  if seq ~= 1 then return seq end
  local held = pcall(size, place)
  if type(held) == 'number' and held > 0 then
    seq = held + 1
    pcall('SET', seqKey, seq)
  end
  return seq
end

local function appendLog(seqKey, log, entry)
  local seq = nextSeq(seqKey, log, 'ZCARD')
  if type(seq) == 'table' then return seq.err end
  local added = pcall('ZADD', log, 'NX', seq, entry)
  if added == 1 then return seq end
  pcall('DECR', seqKey)
  if added == 0 then return 0 end
  return added.err
end

-- The same if the log has no counter.
local function appendUncounted(log, entry)
  local held = pcall('ZCARD', log)
  if type(held) == 'table' then return held.err end
  -- A number becomes an argument through printf, which nearly every recipient of a broadcast can do without.
  local added = pcall('ZADD', log, 'NX', held == 0 and '1' or held + 1, entry)
  if added == 1 then return held + 1 end
  if added == 0 then return 0 end
  return added.err
end

-- The same for a command inbox. The length comes back too.
local function appendInbox(seqKey, inbox, entry)
  local seq = nextSeq(seqKey, inbox, 'LLEN')
  if type(seq) == 'table' then return seq.err, 0 end
  local length = pcall('RPUSH', inbox, entry)
  if type(length) == 'number' then return seq, length end
  pcall('DECR', seqKey)
  return length.err, 0
end

-- The same if the inbox has no counter.
local function appendUncountedInbox(inbox, entry)
  local length = pcall('RPUSH', inbox, entry)
  if type(length) == 'number' then return length, length end
  return length.err, 0
end

-- Whether the i-th of these keys exists; one question for all of them if none does.
local function existsFor(keys)
  if redis.call('EXISTS', unpack(keys)) == 0 then return function() return false end end
  return function(i) return redis.call('EXISTS', keys[i]) == 1 end
end

-- The head of a lane in a shard: `<job id> <items applied>[,<number of a failed item>...]`.
local function headText(jobId, applied, failed)
  if failed ~= '' then failed = ',' .. failed end
  return jobId .. ' ' .. applied .. failed
end

local function appendNumber(failed, number)
  if failed == '' then return tostring(number) end
  return failed .. ',' .. number
end
