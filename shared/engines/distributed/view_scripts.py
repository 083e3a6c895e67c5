"""
What the view does inside Redis, atomically, in Lua.

KEYS[1] is the view's prefix, and everything else is named from it: one server, not a Redis cluster. Beneath it:
`topic`, `offset` (partition → how far), `values`, `owners` (key → value, owners by line), `of:<partition>` (its keys),
`live:<owner>`, `gone:<owner>` (key → revision at which it last changed or went), `gone-at` (when, to forget it), `revision`.
"""

from __future__ import annotations

_COMMON = """
local P = KEYS[1]

local function revision()
    if redis.call('EXISTS', P .. 'revision') == 0 then
        -- after a loss, go on above whatever readers have seen: microseconds grow faster than changes
        local now = redis.call('TIME')
        redis.call('SET', P .. 'revision', now[1] .. string.format('%06d', now[2]))
    end
    return redis.call('INCR', P .. 'revision')
end

local function owners_of(key)
    local found = {}
    for owner in string.gmatch(redis.call('HGET', P .. 'owners', key) or '', '[^\\n]+') do found[owner] = true end
    return found
end

local function seen(owner, key)
    redis.call('ZREM', P .. 'gone:' .. owner, key)
    redis.call('ZREM', P .. 'gone-at', owner .. '\\n' .. key)
    redis.call('ZADD', P .. 'live:' .. owner, revision(), key)
end

local function unseen(owner, key, now_ms)
    redis.call('ZREM', P .. 'live:' .. owner, key)
    redis.call('ZADD', P .. 'gone:' .. owner, revision(), key)
    redis.call('ZADD', P .. 'gone-at', now_ms, owner .. '\\n' .. key)
end

local function put(partition, key, value, owners, now_ms)
    local had = owners_of(key)
    local changed = redis.call('HGET', P .. 'values', key) ~= value
    local has = {}
    for _, owner in ipairs(owners) do
        has[owner] = true
        if changed or not had[owner] then seen(owner, key) end
    end
    for owner in string.gmatch(redis.call('HGET', P .. 'owners', key) or '', '[^\\n]+') do
        if not has[owner] then unseen(owner, key, now_ms) end
    end
    if value then
        redis.call('HSET', P .. 'values', key, value)
        redis.call('HSET', P .. 'owners', key, table.concat(owners, '\\n'))
        redis.call('SADD', P .. 'of:' .. partition, key)
    else
        redis.call('HDEL', P .. 'values', key)
        redis.call('HDEL', P .. 'owners', key)
        redis.call('SREM', P .. 'of:' .. partition, key)
    end
end

local function clear(partition, now_ms, keep)
    local keys = redis.call('SMEMBERS', P .. 'of:' .. partition)
    table.sort(keys)
    for _, key in ipairs(keys) do
        if not keep[key] then put(partition, key, false, {}, now_ms) end
    end
end

local function forget(before_ms)
    for _, member in ipairs(redis.call('ZRANGEBYSCORE', P .. 'gone-at', '-inf', '(' .. before_ms, 'LIMIT', 0, 1000)) do
        local owner, key = string.match(member, '^([^\\n]*)\\n(.*)$')
        redis.call('ZREM', P .. 'gone:' .. owner, key)
        redis.call('ZREM', P .. 'gone-at', member)
    end
end
"""

APPLY = (
    _COMMON
    + """
-- ARGV: partition, topic id, offset, now, forget deletions before, onto which offset or '', whole or not ('1', '0');
-- then a row: key, '1' or '0', value, n, n owners
local partition, topic, offset, now_ms = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local stands = redis.call('HGET', P .. 'topic', partition)
if stands == topic and tonumber(redis.call('HGET', P .. 'offset', partition)) >= offset then return 0 end
if ARGV[6] ~= '' and (stands ~= topic or redis.call('HGET', P .. 'offset', partition) ~= ARGV[6]) then return 0 end
local at = 8
if ARGV[7] == '1' or (stands and stands ~= topic) then
    local keep = {}  -- rows that are about to be put again: who sees no difference is told none
    while at <= #ARGV do
        keep[ARGV[at]] = true
        at = at + 4 + tonumber(ARGV[at + 3])
    end
    clear(partition, now_ms, keep)
end
at = 8
while at <= #ARGV do
    local owners = {}
    for n = 1, tonumber(ARGV[at + 3]) do owners[n] = ARGV[at + 3 + n] end
    local live = ARGV[at + 1] == '1'
    put(partition, ARGV[at], live and ARGV[at + 2], live and owners or {}, now_ms)
    at = at + 4 + tonumber(ARGV[at + 3])
end
redis.call('HSET', P .. 'topic', partition, topic)
redis.call('HSET', P .. 'offset', partition, ARGV[3])
forget(ARGV[5])
return 1
"""
)

RESET = (
    _COMMON
    + """
clear(ARGV[1], ARGV[2], {})
redis.call('HDEL', P .. 'topic', ARGV[1])
redis.call('HDEL', P .. 'offset', ARGV[1])
return 1
"""
)

CHANGES = """
-- ARGV: owner, after; answers key, value or false, revision, one after the other
local P, found = KEYS[1], {}
for _, kind in ipairs({'live:', 'gone:'}) do
    local keys = redis.call('ZRANGEBYSCORE', P .. kind .. ARGV[1], '(' .. ARGV[2], '+inf', 'WITHSCORES')
    for n = 1, #keys, 2 do
        found[#found + 1] = keys[n]
        found[#found + 1] = kind == 'live:' and redis.call('HGET', P .. 'values', keys[n])
        found[#found + 1] = keys[n + 1]
    end
end
return found
"""
