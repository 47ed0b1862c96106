#!lua flags=allow-oom
-- sweep-body.lua: deletes the body of a broadcast that nobody can read any more: every entry that referred to it is gone, or
-- its message has expired. Bitmaps whose body is gone go too.
-- KEYS   body, bitmap of positions that are gone, bitmap of positions that are late
-- returns 1 if a body was deleted
-- cost   one HMGET, one BITCOUNT; what it deletes
-- replay deletes nothing
local total, text = unpack(redis.call('HMGET', KEYS[1], 'n', 'm'))
if not total and not text then
  redis.call('DEL', KEYS[2], KEYS[3])
  return 0
end
-- A group command has no total before it is expanded.
local recipients = tonumber(total or '0') or 0
local isUnread = recipients > 0 and redis.call('BITCOUNT', KEYS[2]) >= recipients
local isFine, message = pcall(cjson.decode, text or '')
if isFine and type(message) == 'table' and type(message.exp) == 'number' and type(message.ts) == 'number' then
  local isExpired = message.exp > 0 and message.ts + message.exp <= tonumber(redis.call('TIME')[1])
  isUnread = isUnread or isExpired
end
if not isUnread then return 0 end
redis.call('DEL', KEYS[1], KEYS[2], KEYS[3])
return 1
