-- A counter of an inbox; nil if there is none. Anything but a whole number raises; the callers have written nothing yet.
local function counterOf(key)
  local text = redis.call('GET', key)
  if not text then return nil end
  local number = tonumber(text)
  if not number or number < 0 or number % 1 ~= 0 then error('value is not an integer: ' .. key) end
  return number
end
