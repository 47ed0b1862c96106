-- push-outbox.lua: appends references to the outbox of a shard.
-- KEYS   outbox, its counts
-- ARGV   mark, 1 if no more references are kept, recipients of the references beyond one each; then the references
-- returns 0; 1 if the outbox was empty: somebody has to wake the indexer; 2 if it left the mark instead
-- cost   about 1 microsecond
-- replay appends the references once more: the same documents are made twice
-- include ../include/outbox.lua
local references = {}
for i = 4, #ARGV do references[#references + 1] = ARGV[i] end
local status = handOver(KEYS[1], references, ARGV[1], ARGV[2] == '1')
if status ~= 2 and ARGV[3] ~= '0' then redis.pcall('HINCRBY', KEYS[2], 'more', ARGV[3]) end
return status
