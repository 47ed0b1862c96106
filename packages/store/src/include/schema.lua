-- The error for a caller that is older than the shard's data; nil if it may write. A version that changes what a script
-- writes notes its schema in every shard first, so that a process of an earlier version writes nothing there any more.
local function outdated(key, known)
  local needed = redis.call('GET', key)
  if not needed or tonumber(needed) <= tonumber(known) then return nil end
  return redis.error_reply('OUTDATED the data has schema ' .. needed .. ', the caller knows ' .. known)
end
