-- Subscribers are in a sorted set, all with score 0, so they are ordered by the bytes of their uids and a page costs what it
-- returns. Up to schema 2 they were in a set, which is converted when a script first touches it.
local function sortSubscribers(key)
  if redis.call('TYPE', key).ok ~= 'set' then return end
  local uids = redis.call('SMEMBERS', key)
  redis.call('DEL', key)
  for _, uid in ipairs(uids) do redis.call('ZADD', key, 0, uid) end
end
