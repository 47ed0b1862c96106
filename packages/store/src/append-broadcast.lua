-- append-broadcast.lua: stores one body's references for recipients of one shard.
-- KEYS   head of this lane in this shard; then of each recipient: seq key, log or inbox
-- ARGV   job id, head that the caller expects, recipients of this job applied here before, numbers of those that failed
--        (with commas), "l" or "i", "<ref>.", position of the first recipient in the broadcast, LOG_RETENTION (0 keeps
--        all) or INBOX_MAX
-- returns the head where it is another one (nothing was written); else a list, empty at best: of each recipient that
--        could not be served its number in this call (from 0) and the reason; of each whose log or inbox is over its
--        bound and refers to a body its number and ""; at the end -1 and the commands dropped from inboxes, if any
-- cost   about 3.5 microseconds a recipient
-- replay finds its own head: the caller goes on behind what was applied; a log refuses the same entry in any case
-- include trim
-- include store
local head = redis.call('GET', KEYS[1]) or ''
if head ~= ARGV[2] then return head end

local remarks = {}
local prefix, position, bound = ARGV[6], tonumber(ARGV[7]), tonumber(ARGV[8])
local applied, failed = tonumber(ARGV[3]), ARGV[4]
local count = (#KEYS - 1) / 2
if ARGV[5] == 'l' then
  for i = 0, count - 1 do
    local log = KEYS[2 * i + 3]
    local result = appendLog(KEYS[2 * i + 2], log, prefix .. (position + i))
    if type(result) == 'string' then
      failed = note(failed, applied + i)
      remarks[#remarks + 1], remarks[#remarks + 2] = i, result
    elseif bound > 0 and not keepNewest(log, bound) then
      remarks[#remarks + 1], remarks[#remarks + 2] = i, ''
    end
  end
else
  for i = 0, count - 1 do
    local inbox = KEYS[2 * i + 3]
    local result, length = appendInbox(KEYS[2 * i + 2], inbox, prefix .. (position + i))
    if type(result) == 'string' then
      failed = note(failed, applied + i)
      remarks[#remarks + 1], remarks[#remarks + 2] = i, result
    elseif length > bound and not keepNewestOfList(inbox, bound, length) then
      remarks[#remarks + 1], remarks[#remarks + 2] = i, ''
    end
  end
end
redis.call('SET', KEYS[1], headText(ARGV[1], applied + count, failed))
if dropped > 0 then remarks[#remarks + 1], remarks[#remarks + 2] = -1, dropped end
return remarks
