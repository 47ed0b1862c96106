-- append-broadcast.lua: stores one body's references for recipients of one shard.
-- KEYS   head of this lane in this shard; then of each recipient: seq key, log or inbox
-- ARGV   job id, head that the caller expects, recipients of this job applied here before, numbers of those that failed
--        (with commas), "l" or "i", "<ref>.", position of the first recipient in the broadcast, LOG_RETENTION (0 keeps
--        all) or INBOX_MAX
-- returns the head where it is another one (nothing was written); else a list, empty at best: of each recipient that
--        could not be served its number in this call (from 0) and the reason; of each whose log or inbox is over its
--        bound and refers to a body its number and ""; at the end -1 and the commands dropped from inboxes, if any
-- cost   about 3 microseconds a recipient
-- replay finds its own head: the caller goes on behind what was applied; a log refuses the same entry in any case
-- include include/trim.lua
-- include include/store.lua
local head = redis.call('GET', KEYS[1]) or ''
if head ~= ARGV[2] then return head end

local remarks = {}
local applied, failed = tonumber(ARGV[3]), ARGV[4]
local isLog, prefix, position, bound = ARGV[5] == 'l', ARGV[6], tonumber(ARGV[7]), tonumber(ARGV[8])
local seqKeys = {}
for key = 2, #KEYS, 2 do seqKeys[#seqKeys + 1] = KEYS[key] end
local isCounted = existence(seqKeys)
for i, seqKey in ipairs(seqKeys) do
  local place, entry = KEYS[2 * i + 1], prefix .. string.format('%d', position + i - 1)
  local result, bounded = nil, true
  if isLog then
    result = isCounted(i) and appendLog(seqKey, place, entry) or appendUncounted(place, entry)
    if bound > 0 and type(result) == 'number' then bounded = keepNewest(seqKey, place, bound) end
  else
    local length
    if isCounted(i) then
      result, length = appendInbox(seqKey, place, entry)
    else
      result, length = appendUncountedInbox(place, entry)
    end
    if length > bound then bounded = keepNewestOfList(seqKey, place, bound, length) end
  end
  if type(result) == 'string' then
    failed = note(failed, applied + i - 1)
    remarks[#remarks + 1], remarks[#remarks + 2] = i - 1, result
  elseif not bounded then
    remarks[#remarks + 1], remarks[#remarks + 2] = i - 1, ''
  end
end
redis.call('SET', KEYS[1], headText(ARGV[1], applied + #seqKeys, failed))
if dropped > 0 then remarks[#remarks + 1], remarks[#remarks + 2] = -1, dropped end
return remarks
