-- Appends one entry; a seq is given only with the entry, so neither a gap nor a repeat can be left behind, and nothing
-- raises, since a script that stops half-way is not rolled back. Returns the seq, 0 where the log had the entry, or
-- the error's text.
local function appendLog(seqKey, log, entry)
  local seq = redis.pcall('INCR', seqKey)
  if type(seq) == 'table' then return seq.err end
  local added = redis.pcall('ZADD', log, 'NX', seq, entry)
  if added == 1 then return seq end
  redis.pcall('DECR', seqKey)
  if added == 0 then return 0 end
  return added.err
end

-- The same for a command inbox. The length comes back too.
local function appendInbox(seqKey, inbox, entry)
  local seq = redis.pcall('INCR', seqKey)
  if type(seq) == 'table' then return seq.err, 0 end
  local length = redis.pcall('RPUSH', inbox, entry)
  if type(length) == 'number' then return seq, length end
  redis.pcall('DECR', seqKey)
  return length.err, 0
end

-- The head of a lane in a shard: `<job id> <items applied>[,<number of a failed item>...]`.
local function headText(jobId, applied, failed)
  if failed ~= '' then failed = ',' .. failed end
  return jobId .. ' ' .. applied .. failed
end

local function note(failed, number)
  if failed == '' then return tostring(number) end
  return failed .. ',' .. number
end
