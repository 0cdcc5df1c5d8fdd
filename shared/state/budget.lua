-- What was spent of each budget, as far as it is known here; the truth is in PostgreSQL.
--   KEYS  a budget each
--   ARGV  1 what is added to each, 2 seconds for which a figure is believed, then for each budget its cap ('': any) and
--         what PostgreSQL says was spent ('': not asked)
-- The answer: {'missing', n} where budget n is not known, {'exceeded', n} where it would go over its cap, {'ok', 0}.

local added, kept = tonumber(ARGV[1]), ARGV[2]
local spent = {}
for n, key in ipairs(KEYS) do
  local cap, told = ARGV[1 + 2 * n], ARGV[2 + 2 * n]
  -- pcall: a key that somebody else wrote is as good as none.
  local found = redis.pcall('GET', key)
  local known = type(found) == 'string' and tonumber(found)
  if not known and told ~= '' then
    redis.call('DEL', key)
    redis.call('SET', key, told, 'EX', kept)
    known = tonumber(told)
  end
  if not known and cap ~= '' then return {'missing', n} end
  if cap ~= '' and known + added > tonumber(cap) then return {'exceeded', n} end
  spent[n] = known
end
for n, key in ipairs(KEYS) do
  if spent[n] then redis.call('INCRBYFLOAT', key, string.format('%.9f', added)) end
end
return {'ok', 0}
