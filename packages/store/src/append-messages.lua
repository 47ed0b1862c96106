-- append-messages.lua: stores single messages of one shard: log entries and personal commands.
-- KEYS   head of this lane in this shard; then of each operation: seq key, log or inbox, idempotency record (or the
--        head again where the client asked for none)
-- ARGV   job id, head that the caller expects, operations of this job applied here before, numbers of those that failed
--        (with commas), LOG_RETENTION (0 keeps all), INBOX_MAX; then of each operation: "l" or "i", entry, start of the
--        record ("S:<id>:<ts>:<digest>:" or ""), unix time at which it expires
-- returns the head where it is another one (nothing was written); else {results, positions of the operations whose log
--        or inbox is over its bound and refers to a body, commands dropped from inboxes over theirs}; a result is the seq, 0 where the message was there already,
--        or the reason why it could not be stored
-- cost   about 4 microseconds an operation, 2 more with a record
-- replay finds its own head: the caller goes on behind what was applied
-- include include/trim.lua
-- include include/store.lua
local head = redis.call('GET', KEYS[1]) or ''
if head ~= ARGV[2] then return head end

local results, over = {}, {}
local retention, inboxMax = tonumber(ARGV[5]), tonumber(ARGV[6])
local arg = 7
local failed = ARGV[4]
for key = 2, #KEYS, 3 do
  local seqKey, target, idem = KEYS[key], KEYS[key + 1], KEYS[key + 2]
  local kind, entry, record = ARGV[arg], ARGV[arg + 1], ARGV[arg + 2]
  local known = false
  if record ~= '' then
    local before = redis.pcall('GET', idem)
    known = type(before) == 'string' and string.sub(before, 1, 2) == 'S:'
  end
  local result, bounded = 0, true
  if not known then
    if kind == 'l' then
      result = appendLog(seqKey, target, entry)
      if retention > 0 and type(result) == 'number' and result > 0 then bounded = keepNewest(seqKey, target, retention) end
    else
      local length
      result, length = appendInbox(seqKey, target, entry)
      if length > inboxMax then bounded = keepNewestOfList(seqKey, target, inboxMax, length) end
    end
    if record ~= '' and type(result) == 'number' and result > 0 then
      redis.pcall('SET', idem, record .. result, 'EXAT', ARGV[arg + 3])
    end
  end
  results[#results + 1] = result
  if type(result) == 'string' then failed = note(failed, tonumber(ARGV[3]) + #results - 1) end
  if not bounded then over[#over + 1] = #results end
  arg = arg + 4
end
redis.call('SET', KEYS[1], headText(ARGV[1], tonumber(ARGV[3]) + #results, failed))
return { results, over, dropped }
