"""
What the view does inside Redis, atomically, in Lua.

KEYS[1] is the view's prefix, and everything else is named from it: one server, not a Redis cluster. Beneath it:
`rows:<partition>` (group of rows → the group, packed), `reached` (partition → offset and topic id), `revision`,
`seen:<owner>` (`<partition>:<group>` → the newest revision at which one of its rows changed for this owner),
`gone:<owner>` (key → revision at which it went), `gone-at` (when, to forget it).

A group is a meeting's row with those of its first copies: what follows in the key → {value, {owner → revision}}. Each further copy
is a group of its own, so that a change costs the same however many copies a meeting has. Names of the group's own organisation
stand without it, as `/name`.
"""

from __future__ import annotations

_COMMON = """
local P = KEYS[1]

local function short(name, tenant)
    if string.sub(name, 1, #tenant + 1) == tenant .. '/' then return string.sub(name, #tenant + 1) end
    return name
end

local function full(name, tenant)
    if string.sub(name, 1, 1) == '/' then return tenant .. name end
    return name
end

local function tenant_of(name) return string.match(name, '^[^/]*') end

local function opened(packed)
    -- what somebody else wrote beside us is no group
    local fine, rows = pcall(cmsgpack.unpack, packed)
    local found = {}
    for rest, row in pairs(fine and type(rows) == 'table' and rows or found) do
        if type(row) == 'table' and type(row[2]) == 'table' then found[rest] = row end
    end
    return found
end

local function load(partition, group)
    local packed = redis.call('HGET', P .. 'rows:' .. partition, group)
    return packed and opened(packed) or {}
end

local function reached(partition)
    return string.match(redis.call('HGET', P .. 'reached', partition) or '', '^(-?%d+) (.*)$')
end
"""

_WRITING = (
    _COMMON
    + """
local function revision()
    if redis.call('EXISTS', P .. 'revision') == 0 then
        -- after a loss, go on above whatever readers have seen: microseconds grow faster than changes
        local now = redis.call('TIME')
        redis.call('SET', P .. 'revision', now[1] .. string.format('%06d', now[2]))
    end
    return redis.call('INCR', P .. 'revision')
end

local function open(partition, name)
    return {partition = partition, name = name, tenant = tenant_of(name), rows = load(partition, name), touched = {}}
end

-- Puts one row into an open group; `value` false deletes it. Whoever sees a difference is entered in `touched`.
local function put(group, rest, value, owners, now_ms)
    local key, had, has = group.name .. rest, group.rows[rest] or {false, {}}, {}
    for _, name in ipairs(owners) do
        local owner = short(name, group.tenant)
        has[owner] = had[1] == value and had[2][owner]
        if not has[owner] then
            has[owner], group.touched[owner] = revision(), true
            if redis.call('ZREM', P .. 'gone:' .. name, key) == 1 then
                redis.call('ZREM', P .. 'gone-at', name .. '\\n' .. key)
            end
        end
    end
    for owner in pairs(had[2]) do
        if not has[owner] then
            local name = full(owner, group.tenant)
            group.touched[owner] = true
            redis.call('ZADD', P .. 'gone:' .. name, revision(), key)
            redis.call('ZADD', P .. 'gone-at', now_ms, name .. '\\n' .. key)
        end
    end
    group.changed = group.changed or had[1] ~= value or next(group.touched) ~= nil
    group.rows[rest] = value and {value, has} or nil
end

local function save(group)
    if not group.changed then return end
    local newest = {}
    for _, row in pairs(group.rows) do
        for owner, at in pairs(row[2]) do newest[owner] = math.max(newest[owner] or 0, at) end
    end
    for owner in pairs(group.touched) do
        local name = full(owner, group.tenant)
        local member = group.partition .. ':' .. short(group.name, tenant_of(name))
        if newest[owner] then
            redis.call('ZADD', P .. 'seen:' .. name, newest[owner], member)
        else
            redis.call('ZREM', P .. 'seen:' .. name, member)
        end
    end
    if next(group.rows) then
        redis.call('HSET', P .. 'rows:' .. group.partition, group.name, cmsgpack.pack(group.rows))
    else
        redis.call('HDEL', P .. 'rows:' .. group.partition, group.name)
    end
end

-- The group of a row, and what follows there in its key. `group` is the one that is open.
local function place(partition, name, rest, group)
    if rest ~= '' and redis.call('HEXISTS', P .. 'rows:' .. partition, name .. rest) == 1 then
        return open(partition, name .. rest), ''
    end
    if not group or group.name ~= name then group = open(partition, name) end
    local held = 0
    for _ in pairs(group.rows) do held = held + 1 end
    if rest ~= '' and not group.rows[rest] and held >= 8 then return open(partition, name .. rest), '' end
    return group, rest
end

local function clear(partition, now_ms, keep)
    local names = redis.call('HKEYS', P .. 'rows:' .. partition)
    table.sort(names)
    for _, name in ipairs(names) do
        local group, leaving = open(partition, name), {}
        for rest in pairs(group.rows) do
            if not keep[name .. rest] then leaving[#leaving + 1] = rest end
        end
        for _, rest in ipairs(leaving) do put(group, rest, false, {}, now_ms) end
        save(group)
    end
end
"""
)

APPLY = (
    _WRITING
    + """
local function forget(before_ms)
    for _, member in ipairs(redis.call('ZRANGEBYSCORE', P .. 'gone-at', '-inf', '(' .. before_ms, 'LIMIT', 0, 1000)) do
        local owner, key = string.match(member, '^([^\\n]*)\\n(.*)$')
        redis.call('ZREM', P .. 'gone:' .. owner, key)
        redis.call('ZREM', P .. 'gone-at', member)
    end
end

-- What versions before packed rows kept: the same rows, which whoever rebuilds a partition is about to put.
local function drop_earlier_form()
    if redis.call('EXISTS', P .. 'values') == 0 then return end
    for _, names in ipairs(redis.call('HVALS', P .. 'owners')) do
        for name in string.gmatch(names, '[^\\n]+') do redis.call('UNLINK', P .. 'live:' .. name) end
    end
    for _, partition in ipairs(redis.call('HKEYS', P .. 'topic')) do redis.call('UNLINK', P .. 'of:' .. partition) end
    redis.call('UNLINK', P .. 'values', P .. 'owners', P .. 'topic', P .. 'offset')
end

-- ARGV: partition, topic id, offset, now, forget deletions before, onto which offset or '', whole or not ('1', '0');
-- then a row: group, rest of its key, '1' or '0', value, n, n owners
local partition, topic, offset, now_ms = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local at_offset, stands = reached(partition)
if stands == topic and tonumber(at_offset) >= offset then return 0 end
if ARGV[6] ~= '' and (stands ~= topic or at_offset ~= ARGV[6]) then return 0 end
if ARGV[7] == '1' then drop_earlier_form() end
if ARGV[7] == '1' or (stands and stands ~= topic) then
    local keep, at = {}, 8  -- rows that are about to be put again: who sees no difference is told none
    while at <= #ARGV do
        keep[ARGV[at] .. ARGV[at + 1]] = true
        at = at + 5 + tonumber(ARGV[at + 4])
    end
    clear(partition, now_ms, keep)
end
local group, at = nil, 8
while at <= #ARGV do
    local placed, rest = place(partition, ARGV[at], ARGV[at + 1], group)
    if group and placed ~= group then save(group) end
    group = placed
    local owners, live = {}, ARGV[at + 2] == '1'
    for n = 1, live and tonumber(ARGV[at + 4]) or 0 do owners[n] = ARGV[at + 4 + n] end
    put(group, rest, live and ARGV[at + 3], owners, now_ms)
    at = at + 5 + tonumber(ARGV[at + 4])
end
if group then save(group) end
redis.call('HSET', P .. 'reached', partition, ARGV[3] .. ' ' .. topic)
forget(ARGV[5])
return 1
"""
)

RESET = (
    _WRITING
    + """
clear(ARGV[1], ARGV[2], {})
redis.call('HDEL', P .. 'reached', ARGV[1])
return 1
"""
)

CHANGES = (
    _COMMON
    + """
-- ARGV: owner, after; answers key, value or false, revision, one after the other
local name, after, found = ARGV[1], tonumber(ARGV[2]), {}
for _, member in ipairs(redis.call('ZRANGEBYSCORE', P .. 'seen:' .. name, '(' .. ARGV[2], '+inf')) do
    local partition, group = string.match(member, '^(%d+):(.*)$')
    if partition then
        group = full(group, tenant_of(name))
        local owner = short(name, tenant_of(group))
        for rest, row in pairs(load(partition, group)) do
            local at = row[2][owner]
            if at and at > after then
                found[#found + 1] = group .. rest
                found[#found + 1] = row[1]
                found[#found + 1] = at
            end
        end
    end
end
local gone = redis.call('ZRANGEBYSCORE', P .. 'gone:' .. name, '(' .. ARGV[2], '+inf', 'WITHSCORES')
for n = 1, #gone, 2 do
    found[#found + 1] = gone[n]
    found[#found + 1] = false
    found[#found + 1] = tonumber(gone[n + 1])
end
return found
"""
)

ROWS = (
    _COMMON
    + """
-- ARGV: nothing for all rows, or one row's group and the rest of its key; answers key, value, owners by line, newest revision
local found = {}
local function add(group, rest, row)
    local owners, newest = {}, 0
    for owner, at in pairs(row[2]) do
        owners[#owners + 1], newest = full(owner, tenant_of(group)), math.max(newest, at)
    end
    found[#found + 1] = {group .. rest, row[1], table.concat(owners, '\\n'), newest}
end
for _, partition in ipairs(redis.call('HKEYS', P .. 'reached')) do
    if ARGV[1] then
        local row = load(partition, ARGV[1] .. ARGV[2])[''] or load(partition, ARGV[1])[ARGV[2]]
        if row then add(ARGV[1], ARGV[2], row) end
    else
        local groups = redis.call('HGETALL', P .. 'rows:' .. partition)
        for n = 1, #groups, 2 do
            for rest, row in pairs(opened(groups[n + 1])) do add(groups[n], rest, row) end
        end
    end
end
return found
"""
)
