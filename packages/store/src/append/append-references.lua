-- append-references.lua: stores one body's references for recipients of one shard.
-- KEYS   head of this lane in this shard; then of each recipient: seq key, log or inbox
-- ARGV   job id, head that the caller expects, recipients of this job applied here before, numbers of those that failed
--        (with commas), "l" or "i", "<ref>.", position of the first recipient in the broadcast, LOG_RETENTION (0 keeps
--        all) or INBOX_MAX
-- returns the head if it is another one (nothing was written); else {failed, over, dropped}: number and reason of each
--        recipient who could not be served; numbers of those whose log or inbox is over its bound and refers to bodies;
--        commands dropped from inboxes. Numbers count within this call, from 0 on.
-- cost   about 3 microseconds per recipient
-- replay finds its own head: the caller goes on behind what was applied; a log refuses the same entry in any case
-- include ../include/trim.lua
-- include ../include/sequences.lua
local head = redis.call('GET', KEYS[1]) or ''
if head ~= ARGV[2] then return head end

local failures, over = {}, {}
local applied, failed = tonumber(ARGV[3]), ARGV[4]
local isLog, prefix, position, bound = ARGV[5] == 'l', ARGV[6], tonumber(ARGV[7]), tonumber(ARGV[8])
local seqKeys = {}
for key = 2, #KEYS, 2 do seqKeys[#seqKeys + 1] = KEYS[key] end
local hasCounter = existsFor(seqKeys)
for i, seqKey in ipairs(seqKeys) do
  local place, entry = KEYS[2 * i + 1], prefix .. string.format('%d', position + i - 1)
  local result, isWithinBound = nil, true
  if isLog then
    result = hasCounter(i) and appendLog(seqKey, place, entry) or appendUncounted(place, entry)
    if bound > 0 and type(result) == 'number' then isWithinBound = keepNewest(seqKey, place, bound) end
  else
    local length
    if hasCounter(i) then
      result, length = appendInbox(seqKey, place, entry)
    else
      result, length = appendUncountedInbox(place, entry)
    end
    if length > bound then isWithinBound = keepNewestOfList(seqKey, place, bound, length) end
  end
  if type(result) == 'string' then
    failed = appendNumber(failed, applied + i - 1)
    failures[#failures + 1], failures[#failures + 2] = i - 1, result
  elseif not isWithinBound then
    over[#over + 1] = i - 1
  end
end
redis.call('SET', KEYS[1], headText(ARGV[1], applied + #seqKeys, failed))
return { failures, over, dropped }
