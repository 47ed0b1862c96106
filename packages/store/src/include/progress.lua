-- Sums over the fields of a progress hash, so that reading it costs the same however many chunks there are. A hash that an
-- earlier version began has none, and never gets any.
local function addToSums(progress, added, now)
  if redis.call('HEXISTS', progress, '=h') == 0 then return end
  for sum, n in pairs(added) do
    if n ~= 0 then redis.call('HINCRBY', progress, '=' .. sum, n) end
  end
  if now then redis.call('HSET', progress, '=t', now) end
end

-- A broadcast that is paused for weeks must not forget what is stored: it holds its progress until it has ended.
local function keepProgress(progress, seconds)
  if redis.call('HEXISTS', progress, 'held') == 0 then redis.call('EXPIRE', progress, seconds) end
end
