-- share-lanes.lua: a worker process says that it lives and gets its share of the lanes. Lanes stay where they are: only those
--                  of silent workers move, and as many as others have too many when a worker joins.
-- KEYS   sorted set of workers; per kind of lane the owners: a hash from lane to worker
-- ARGV   name of this worker, milliseconds after which a silent one is dropped, milliseconds to keep the owners, then per kind
--        its number of lanes
-- returns the lanes of this worker, one list per kind
-- cost   the number of workers and lanes; it writes only the lanes that move
-- replay says again that it lives, and moves nothing
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - tonumber(ARGV[2]))
redis.call('ZADD', KEYS[1], now, ARGV[1])
local workers = redis.call('ZRANGE', KEYS[1], 0, -1)
local total = {}
for _, worker in ipairs(workers) do total[worker] = 0 end
local kinds = {}
for k = 2, #KEYS do
  local stored, owners = redis.call('HGETALL', KEYS[k]), {}
  for i = 1, #stored, 2 do owners[tonumber(stored[i])] = stored[i + 1] end
  local held, free = {}, {}
  for _, worker in ipairs(workers) do held[worker] = {} end
  for lane = 0, tonumber(ARGV[k + 2]) - 1 do
    local owner = held[owners[lane]] and owners[lane]
    table.insert(owner and held[owner] or free, lane)
    if owner then total[owner] = total[owner] + 1 end
  end
  kinds[k] = { held = held, free = free, owners = owners }
end
for k = 2, #KEYS do
  local lanes, held, free = tonumber(ARGV[k + 2]), kinds[k].held, kinds[k].free
  for _, worker in ipairs(workers) do total[worker] = total[worker] - #held[worker] end
  -- Who has most keeps most, so that no more lanes move than must. Among equals, who has fewer lanes of other kinds comes first.
  table.sort(workers, function(a, b)
    if #held[a] ~= #held[b] then return #held[a] > #held[b] end
    if total[a] ~= total[b] then return total[a] < total[b] end
    return a < b
  end)
  local least, more = math.floor(lanes / #workers), lanes % #workers
  local due = {}
  for i, worker in ipairs(workers) do
    due[worker] = i <= more and least + 1 or least
    while #held[worker] > due[worker] do table.insert(free, table.remove(held[worker])) end
  end
  for _, worker in ipairs(workers) do
    while #held[worker] < due[worker] do table.insert(held[worker], table.remove(free)) end
    total[worker] = total[worker] + #held[worker]
  end
  kinds[k].least = least
end
-- A worker may have one lane more than another of each kind. Of all kinds together it should not have two more.
for k = 2, #KEYS do
  local held, least = kinds[k].held, kinds[k].least
  repeat
    local from, to
    for _, worker in ipairs(workers) do
      if #held[worker] > least and (not from or total[worker] > total[from]) then from = worker end
      if #held[worker] == least and (not to or total[worker] < total[to]) then to = worker end
    end
    local isUneven = from and to and total[from] > total[to] + 1
    if isUneven then
      table.insert(held[to], table.remove(held[from]))
      total[from], total[to] = total[from] - 1, total[to] + 1
    end
  until not isUneven
end
local shares = {}
for k = 2, #KEYS do
  for worker, lanes in pairs(kinds[k].held) do
    for _, lane in ipairs(lanes) do
      if kinds[k].owners[lane] ~= worker then redis.call('HSET', KEYS[k], lane, worker) end
    end
  end
  redis.call('PEXPIRE', KEYS[k], ARGV[3])
  shares[k - 1] = kinds[k].held[ARGV[1]]
end
return shares
