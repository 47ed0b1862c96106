-- append-messages.lua: stores single messages of one shard: log entries and personal commands. References to the entries go
--        to the outbox of the shard.
-- KEYS   head of this lane in this shard, schema of the shard, its outbox; then of each operation: seq key, log or inbox,
--        idempotency record (or the head again if the client asked for none)
-- ARGV   job id, head that the caller expects, operations of this job applied here before, numbers of those that failed
--        (with commas), the newest schema that the caller knows, LOG_RETENTION (0 keeps all), INBOX_MAX,
--        how references begin, mark for the outbox, 1 if it keeps no more references; then of each operation: "l" or "i", entry, start of the
--        record ("S:<id>:<ts>:<digest>:" or ""), unix time at which it expires
-- returns the head if it is another one (nothing was written); else {failed, over, dropped, seqs, outbox}: number and reason of each
--        operation that failed; numbers of those whose log or inbox is over its bound and refers to bodies; commands
--        dropped from inboxes; of each operation the seq, 0 if the message was stored already or failed; what
--        handOver of include/outbox.lua says. Numbers count within this call, from 0 on.
-- cost   about 4 microseconds per operation, 2 more with a record, 1 per call for the outbox
-- replay finds its own head: the caller goes on behind what was applied
-- include ../include/trim.lua
-- include ../include/sequences.lua
-- include ../include/schema.lua
-- include ../include/outbox.lua
local tooOld = outdated(KEYS[2], ARGV[5])
if tooOld then return tooOld end
local head = redis.call('GET', KEYS[1]) or ''
if head ~= ARGV[2] then return head end

local failures, over, seqs, references = {}, {}, {}, {}
local retention, inboxMax, outbox, origin = tonumber(ARGV[6]), tonumber(ARGV[7]), KEYS[3], ARGV[8]
-- The channel's name follows `r:{s}:log:` in its key, as `outbox` follows `r:{s}:`.
local nameFrom = #outbox - #'outbox' + #'log:' + 1
local arg = 11
local applied, failed = tonumber(ARGV[3]), ARGV[4]
for key = 4, #KEYS, 3 do
  local seqKey, place, idem = KEYS[key], KEYS[key + 1], KEYS[key + 2]
  local kind, entry, record = ARGV[arg], ARGV[arg + 1], ARGV[arg + 2]
  local known = false
  if record ~= '' then
    local before = redis.pcall('GET', idem)
    known = type(before) == 'string' and string.sub(before, 1, 2) == 'S:'
  end
  local result, isWithinBound = 0, true
  if not known then
    if kind == 'l' then
      result = appendLog(seqKey, place, entry)
      if type(result) == 'number' and result > 0 then
        references[#references + 1] = origin .. ' m ' .. result .. ' ' .. #entry .. ' ' .. string.sub(place, nameFrom)
        if retention > 0 then isWithinBound = keepNewest(seqKey, place, retention) end
      end
    else
      local length
      result, length = appendInbox(seqKey, place, entry)
      if length > inboxMax then isWithinBound = keepNewestOfList(seqKey, place, inboxMax, length) end
    end
    if record ~= '' and type(result) == 'number' and result > 0 then
      redis.pcall('SET', idem, record .. result, 'EXAT', ARGV[arg + 3])
    end
  end
  if type(result) == 'string' then
    failed = appendNumber(failed, applied + #seqs)
    failures[#failures + 1], failures[#failures + 2] = #seqs, result
    result = 0
  end
  if not isWithinBound then over[#over + 1] = #seqs end
  seqs[#seqs + 1] = result
  arg = arg + 4
end
redis.call('SET', KEYS[1], headText(ARGV[1], applied + #seqs, failed))
return { failures, over, dropped, seqs, handOver(outbox, references, ARGV[9], ARGV[10] == '1') }
