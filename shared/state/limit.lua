-- The rules of shared/core/limits.py, run where all processes meet. One call carries any number of commands.
--   ARGV  1 prefix of a limit's key, 2 who asks, 3 policy, 4 commands (3 and 4 in JSON)
-- A command: {name, limit: {requests, tokens}, flying: what the asker has reserved, batches: {{number, notes}, …},
--             whole: the batches hold all that the asker used in the window, wishes: tokens of each call that waits,
--             hold: milliseconds for which the provider wants no call, workers: how many the asker knew}
-- The answer, in JSON: {now, limits: [{name, granted, wait, hold, workers, stranger}]}.
-- A batch has a number, so that one whose answer was lost can be told again. What flies is told as it stands. Of a
-- stranger nothing is known, because it is new or everything was lost: it has to tell everything before it is granted.

local IDLE = 24 * 3600 * 1000
local UNKNOWN_WAIT = 1000
local PREFIX, WHO = ARGV[1], ARGV[2]
local policy, commands = cjson.decode(ARGV[3]), cjson.decode(ARGV[4])
local window, part, returns = policy.window, policy.part, policy.returns
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function stored(name)
  -- pcall: a key that somebody else wrote is as good as none, it must not stop all limits.
  local raw = redis.pcall('GET', PREFIX .. name)
  if type(raw) ~= 'string' then return nil end
  local fine, state = pcall(cjson.decode, raw)
  if not fine or type(state) ~= 'table' or type(state.slots) ~= 'table' or type(state.members) ~= 'table'
     or type(state.back) ~= 'table' or type(state.hold) ~= 'number' or type(state.at) ~= 'number' then return nil end
  return state
end

local function expiry(number) return (number + 1) * part + window end

local function returning(limit, back, ends, amount)
  if limit <= 0 or amount <= 0 then return back end
  return math.max(back, ends) + math.ceil(amount * window * 100 / (limit * returns))
end

local function pass(state, limit)
  local kept = {}
  for _, slot in ipairs(state.slots) do
    local ends = expiry(slot[1])
    if ends <= now then
      for which = 1, 2 do state.back[which] = returning(limit[which], state.back[which], ends, slot[which + 1]) end
    else
      kept[#kept + 1] = slot
    end
  end
  state.slots = kept
end

local function note(state, notes)
  local at = {}
  for index, slot in ipairs(state.slots) do at[slot[1]] = index end
  for _, one in ipairs(notes) do
    local slot = at[one[1]] and state.slots[at[one[1]]]
    if slot then
      slot[2], slot[3] = slot[2] + one[2], slot[3] + one[3]
    else
      state.slots[#state.slots + 1] = {one[1], one[2], one[3]}
      at[one[1]] = #state.slots
    end
  end
  table.sort(state.slots, function(one, other) return one[1] < other[1] end)
end

local function flying(state)
  local sum = {0, 0}
  for _, member in pairs(state.members) do
    sum[1], sum[2] = sum[1] + member.flying[1], sum[2] + member.flying[2]
  end
  return sum
end

local function again(limit, back, at, room)
  return math.max(at, back - math.floor(room * window * 100 / (limit * returns)))
end

local function opens(state, limit, which, used, need)
  local back, at = state.back[which], now
  for _, slot in ipairs(state.slots) do used = used + slot[which + 1] end
  for _, slot in ipairs(state.slots) do
    local ends, room = expiry(slot[1]), limit - used - need
    if room >= 0 and again(limit, back, at, room) <= ends then return again(limit, back, at, room) end
    used = used - slot[which + 1]
    back, at = returning(limit, back, ends, slot[which + 1]), math.max(at, ends)
  end
  local room = limit - used - need
  if room >= 0 then return again(limit, back, at, room) end
  return at + UNKNOWN_WAIT
end

local function opening(state, limit, in_flight, tokens)
  local need, at = {1, tokens}, math.max(now, state.hold)
  for which = 1, 2 do
    if limit[which] > 0 then at = math.max(at, opens(state, limit[which], which, in_flight[which], need[which])) end
  end
  return at - now
end

-- Members that said nothing for long are gone. What they had in flight may have been used; and they may only have been
-- away, so they are forgotten no sooner than all that they used has expired.
local function look_after(state)
  local living, others = 0, false
  for who, member in pairs(state.members) do
    local silent = now - member.seen
    if silent > policy.gone + window + part then
      state.members[who] = nil
    elseif silent > policy.gone then
      note(state, {{math.floor(now / part), member.flying[1], member.flying[2]}})
      member.flying = {0, 0}
    else
      living = living + 1
    end
    others = others or (who ~= WHO and silent <= window)
  end
  return living, others
end

local function told(state, member, batches)
  for _, batch in ipairs(batches) do
    if batch[1] > member.told then
      note(state, batch[2])
      member.told = batch[1]
    end
  end
end

local function obey(command)
  local state, limit, missing = stored(command.name), command.limit, false
  if not state then state, missing = {slots = {}, back = {0, 0}, at = now, hold = 0, members = {}}, true end
  local living, others = look_after(state)
  -- Everything was lost, or nobody could tell anything for a while: others may have used what is not known here yet.
  if (missing and command.workers > 1) or (now - state.at > policy.gap and others) then
    state.hold = math.max(state.hold, now + policy.settle)
  end
  state.at = now
  if command.hold > 0 then state.hold = math.max(state.hold, now + command.hold) end
  local member, granted, wait = state.members[WHO], 0, 0
  local stranger = not member and not command.whole
  if not member then
    member, living = {told = -1, seen = now, flying = {0, 0}}, living + 1
  elseif now - member.seen > policy.gone then
    living = living + 1
  end
  if not stranger then
    state.members[WHO] = member
    member.seen, member.flying = now, {command.flying[1], command.flying[2]}
    told(state, member, command.batches)
    pass(state, limit)
    local in_flight = flying(state)
    for _, tokens in ipairs(command.wishes) do
      wait = opening(state, limit, in_flight, tokens)
      if wait > 0 then break end
      granted = granted + 1
      for which, need in ipairs({1, tokens}) do
        in_flight[which], member.flying[which] = in_flight[which] + need, member.flying[which] + need
      end
    end
  end
  redis.call('SET', PREFIX .. command.name, cjson.encode(state), 'PX', IDLE)
  return {name = command.name, granted = granted, wait = wait, hold = math.max(state.hold - now, 0), workers = living,
          stranger = stranger}
end

local answers = {}
for _, command in ipairs(commands) do answers[#answers + 1] = obey(command) end
return cjson.encode({now = now, limits = answers})
