-- The rules of shared/core/breaker.py, run where all processes meet. One call carries any number of commands.
--   KEYS  1 set of names, 2 capped list of events
--   ARGV  1 prefix of a breaker's key, 2 channel, 3 policy, 4 who asks, 5 commands (3 and 5 in JSON), 6 '1': answer
--         with every breaker, not only with those that a command names
-- A command: {name, view: the asker's copy, own: changed without us, tally: {ok, failed, tail, last, useless, declined,
--         ends, longer, open}, act, reason, probe}
-- The answer, in JSON: {now, breakers: [{name, breaker, verdict}]}.
-- The server's clock is the only one: processes never compare theirs.

local EVENTS, IDLE = 1000, 7 * 24 * 3600 * 1000
local SHAPE = {phase = 'string', since = 'number', version = 'number', ['until'] = 'number', holder = 'string',
               tripped = 'boolean', run = 'number', slots = 'table', reason = 'string', useless = 'boolean'}
local PREFIX, CHANNEL, WHO = ARGV[1], ARGV[2], ARGV[4]
local policy, commands = cjson.decode(ARGV[3]), cjson.decode(ARGV[5])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local part = math.floor(now / policy.slot)

local function stored(name)
  -- pcall: a key that somebody else wrote is as good as none, it must not stop all breakers.
  local raw = redis.pcall('GET', PREFIX .. name)
  if type(raw) ~= 'string' then return nil end
  local fine, breaker = pcall(cjson.decode, raw)
  if not fine or type(breaker) ~= 'table' then return nil end
  for field, kind in pairs(SHAPE) do
    if type(breaker[field]) ~= kind then return nil end
  end
  return breaker
end

local function after(breaker) return math.max(now, breaker and breaker.version + 1 or 0) end

local function closed(reason, old)
  return {phase = 'closed', since = now, version = after(old), ['until'] = 0, holder = '', tripped = false, run = 0,
          slots = {}, reason = reason, useless = false}
end

local function open(breaker, reason)
  breaker.phase, breaker.since, breaker.version, breaker['until'] = 'open', now, after(breaker), now + policy.recovery
  breaker.holder, breaker.run, breaker.reason = '', 0, reason
  return breaker
end

local function newer(breaker, offered, own)
  if not offered then return breaker end
  local version = own and math.min(offered.version, now) or offered.version
  if breaker and (version <= breaker.version or (own and breaker.tripped)) then return breaker end
  offered.version, offered.since = version, math.min(offered.since, now)
  offered['until'] = math.min(offered['until'], now + math.max(policy.recovery, policy.lease, policy.ramp))
  return offered
end

local function count(breaker, tally)
  local live, answers, failures, useless = {}, tally.ok, tally.failed, tally.useless
  for _, slot in ipairs(breaker.slots) do
    if part - slot[1] >= 0 and part - slot[1] < policy.slots then
      live[#live + 1] = slot
      answers, failures, useless = answers + slot[2], failures + slot[3], useless + slot[4]
    end
  end
  if tally.ends or #live == 0 then breaker.run = tally.tail
  else breaker.run = math.max(breaker.run + tally.longer, tally.tail) end
  if #live > 0 and live[#live][1] == part then
    local slot = live[#live]
    live[#live] = {part, slot[2] + tally.ok, slot[3] + tally.failed, slot[4] + tally.useless}
  else
    live[#live + 1] = {part, tally.ok, tally.failed, tally.useless}
  end
  breaker.slots = live
  local calls = answers + failures
  if tally.failed > 0 and breaker.run >= policy.threshold then
    return open(breaker, string.format('%d failures in a row, the last: %s', breaker.run, tally.last))
  end
  if tally.failed > 0 and calls >= policy.minimum_calls and failures >= policy.share * (calls + tally.open) then
    return open(breaker, string.format('%d of %d calls failed, the last: %s', failures, calls, tally.last))
  end
  if tally.useless > 0 and answers >= policy.minimum_answers and useless >= policy.useless_share * answers then
    breaker.useless = true
    local said = string.format('%d of %d answers were of no use, the last: %s', useless, answers, tally.declined)
    return open(breaker, said)
  end
  return breaker
end

local function record(breaker, tally)
  if breaker.phase == 'open' then return breaker end
  if breaker.phase == 'closed' then return count(breaker, tally) end
  if tally.failed > 0 and breaker.holder == WHO then return open(breaker, 'the probe failed: ' .. tally.last) end
  local in_vain = breaker.useless and tally.useless == tally.ok
  if in_vain and tally.failed == 0 and breaker.holder == WHO then
    return open(breaker, "the probe's answer was of no use: " .. tally.declined)
  end
  if tally.failed > 0 or in_vain then return breaker end
  local recovered = closed('a call succeeded', breaker)
  if policy.ramp > 0 then recovered['until'] = now + policy.ramp end
  return recovered
end

local function ask(breaker)
  if breaker.phase == 'closed' then return breaker, 'go' end
  if breaker.tripped or now < breaker['until'] then return breaker, 'wait' end
  if breaker.phase == 'open' then breaker.since = now end
  breaker.phase, breaker.version, breaker['until'], breaker.holder = 'half-open', after(breaker), now + policy.lease, WHO
  breaker.reason = WHO .. ' tries whether it is back'
  return breaker, 'probe'
end

local function act(breaker, command)
  if command.act == 'reset' then return closed('reset by ' .. WHO, breaker) end
  local tripped = closed('tripped by ' .. WHO .. ': ' .. (command.reason or ''), breaker)
  tripped.phase, tripped.tripped, tripped.slots = 'open', true, breaker.slots
  return tripped
end

local function keep(name, breaker, old)
  local key, text = PREFIX .. name, cjson.encode(breaker)
  if breaker.tripped then redis.call('SET', key, text) else redis.call('SET', key, text, 'PX', IDLE) end
  redis.call('SADD', KEYS[1], name)
  if old and old.version == breaker.version then return end
  redis.call('PUBLISH', CHANNEL, cjson.encode({name = name, breaker = breaker}))
  if (old and old.phase or 'closed') ~= breaker.phase or breaker.tripped ~= (old ~= nil and old.tripped) then
    redis.call('LPUSH', KEYS[2], cjson.encode({name = name, state = breaker.phase, reason = breaker.reason, at = now}))
    redis.call('LTRIM', KEYS[2], 0, EVENTS - 1)
  end
end

local function obey(command)
  local name, old = command.name, stored(command.name)
  local before = old and {version = old.version, phase = old.phase, tripped = old.tripped}
  local breaker, verdict = newer(old, command.view, command.own), nil
  local changed = breaker ~= old
  if command.act then breaker, changed = act(breaker or closed('', nil), command), true end
  if command.tally then breaker, changed = record(breaker or closed('', nil), command.tally), true end
  if command.probe then
    if breaker then breaker, verdict = ask(breaker) else verdict = 'go' end
    changed = changed or verdict == 'probe'
  end
  if changed then keep(name, breaker, before) end
  return {name = name, breaker = breaker, verdict = verdict}
end

local answers, told = {}, {}
for _, command in ipairs(commands) do answers[#answers + 1], told[command.name] = obey(command), true end
if ARGV[6] == '1' then
  for _, name in ipairs(redis.call('SMEMBERS', KEYS[1])) do
    local breaker = not told[name] and stored(name)
    if breaker then
      answers[#answers + 1] = {name = name, breaker = breaker}
    elseif not told[name] then
      redis.call('SREM', KEYS[1], name)
    end
  end
end
return cjson.encode({now = now, breakers = answers})
