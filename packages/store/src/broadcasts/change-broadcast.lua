-- change-broadcast.lua: starts, pauses, resumes, cancels or retries a broadcast (broadcasts.ts has the states).
-- KEYS   about
-- ARGV   what to do, of a start the seconds at which it begins ('' as its creation said)
-- returns the state before and after, the number of the run, and 1 if a coordinator is needed; false if there is none
-- cost   constant
-- replay changes nothing, but a coordinator may be asked for again
local about = KEYS[1]
local field = function(name) return redis.call('HGET', about, name) end
local state = field('state')
if not state then return false end
local before, action, startAt, now = state, ARGV[1], ARGV[2], redis.call('TIME')[1]
local number = function(name) return tonumber(field(name) or 0) end

local function enter(to)
  state = to
  redis.call('HSET', about, 'state', to)
end

local isMoved = startAt ~= '' and startAt ~= (field('start_at') or '0')
if action == 'start' and (state == 'open' or (state == 'scheduled' and isMoved)) then
  if not field('uploaded') and not field('audience') then return { before, 'empty', 0, 0 } end
  if isMoved then redis.call('HSET', about, 'start_at', startAt) end
  if number('start_at') > tonumber(now) then
    enter('scheduled')
    -- The coordinator that waits for the former time ends then; another one waits for this.
    if before == 'scheduled' then redis.call('HINCRBY', about, 'run', 1) end
  else
    enter('running')
    redis.call('HSET', about, 'started', now)
  end
elseif action == 'pause' and state == 'running' then
  enter('paused')
elseif action == 'resume' and state == 'paused' then
  enter('running')
  redis.call('HDEL', about, 'allowed_at')
elseif action == 'cancel' and (state == 'open' or state == 'scheduled' or state == 'running' or state == 'paused') then
  enter('cancelled')
  if field('total') == false then
    redis.call('HSET', about, 'total', string.format('%.0f', number('accepted') - number('duplicates')))
  end
  redis.call('HSET', about, 'cancelled', string.format('%.0f', number('total') - number('claimed')))
elseif action == 'retry' and (state == 'done' or state == 'failed' or state == 'cancelled') and field('finished') then
  redis.call('HSET', about, 'ended', state, 'retrying', 1)
  redis.call('HDEL', about, 'finished')
  enter('running')
end

local unsettled = (state == 'running' or state == 'scheduled' or state == 'cancelled') and not field('finished')
if before ~= state then redis.call('HINCRBY', about, 'run', 1) end
return { before, state, number('run'), unsettled and 1 or 0 }
