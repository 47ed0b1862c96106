#!lua flags=allow-oom
-- take-mark.lua: takes a mark away from the end of an outbox, unless another one has replaced it or references follow it. It
-- frees memory, so it runs even if Redis is full.
-- KEYS   outbox
-- ARGV   mark
-- returns nothing
-- cost   constant
-- replay changes nothing
if redis.pcall('LINDEX', KEYS[1], '-1') == ARGV[1] then redis.call('RPOP', KEYS[1]) end
