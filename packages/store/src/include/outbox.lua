-- A shard's outbox: references to what is stored here and not in the search index yet, the oldest first (outbox/reference.ts).

local function isMark(reference)
  return type(reference) == 'string' and string.find(reference, '^%w+ ! ') ~= nil
end

-- Appends references. If no more are kept, or if the outbox is no list, it leaves a mark at the end instead: the index has to
-- be rebuilt. A mark that stands there already is replaced, so that whoever has read it does not trim it. Never raises.
-- Returns 0; 1 if the outbox was empty: somebody has to wake the indexer; 2 if it left the mark.
local function handOver(outbox, references, mark, isFull)
  if #references == 0 then return 0 end
  if not isFull then
    local length = redis.pcall('RPUSH', outbox, unpack(references))
    if type(length) == 'number' then return length == #references and 1 or 0 end
    redis.pcall('UNLINK', outbox)
  end
  local last = redis.pcall('LINDEX', outbox, '-1')
  if type(last) == 'table' then redis.pcall('UNLINK', outbox) end
  if isMark(last) then redis.pcall('LSET', outbox, '-1', mark) else redis.pcall('RPUSH', outbox, mark) end
  return 2
end
