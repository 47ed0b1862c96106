-- Subscribers stand in a sorted set, all with the score 0: by the bytes of their uids, so that a page of them costs what it
-- returns. Up to schema 2 it was a set, which is made into one when a script first touches it.
local function sortSubscribers(key)
  if redis.call('TYPE', key).ok ~= 'set' then return end
  local uids = redis.call('SMEMBERS', key)
  redis.call('DEL', key)
  for _, uid in ipairs(uids) do redis.call('ZADD', key, 0, uid) end
end
