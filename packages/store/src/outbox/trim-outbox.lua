#!lua flags=allow-oom
-- trim-outbox.lua: removes a page of an outbox that is durable in the search index. It frees memory, so it runs even if Redis is full.
-- KEYS   outbox, its counts
-- ARGV   how many references were ever trimmed when the page was read ('' if nobody has read it), references of the page, the last
--        of them, recipients of the page beyond one per reference, the first of them
-- returns how many references are left; -1 if somebody trimmed since, or replaced the last reference: nothing was removed
-- cost   about 1 microsecond
-- replay removes nothing
if ARGV[1] == '' then
  -- No two references to messages are the same, so between the first and the last of the page are the others.
  if redis.call('LINDEX', KEYS[1], 0) ~= ARGV[5] then return -1 end
elseif (redis.call('HGET', KEYS[2], 'trimmed') or '0') ~= ARGV[1] then
  return -1
end
if redis.call('LINDEX', KEYS[1], ARGV[2] - 1) ~= ARGV[3] then return -1 end
redis.call('HINCRBY', KEYS[2], 'trimmed', ARGV[2])
redis.call('LTRIM', KEYS[1], ARGV[2], '-1')
local left = redis.call('LLEN', KEYS[1])
if left == 0 then
  redis.call('HDEL', KEYS[2], 'more')
elseif ARGV[4] ~= '0' then
  redis.pcall('HINCRBY', KEYS[2], 'more', '-' .. ARGV[4])
end
return left
