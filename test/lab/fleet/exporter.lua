-- Stands in for prometheus-node-exporter-lua: the functions that it gives to its collectors, and its way of running one of them.
-- Arguments: a collector's file, and for each path in it another one that stands for it here: FROM TO ...

output = print

function get_contents(name)
  local file = io.open(name, "rb")
  if not file then return "" end
  local contents = file:read("*a")
  file:close()
  return contents
end

local function sample(name, labels, value)
  local pairs_of = {}
  for label, text in pairs(labels or {}) do pairs_of[#pairs_of + 1] = label .. '="' .. text .. '"' end
  output(name .. (labels and "{" .. table.concat(pairs_of, ",") .. "}" or "") .. " " .. value)
end

function metric(name, kind, labels, value)
  output("# TYPE " .. name .. " " .. kind)
  if value then sample(name, labels, value) end
  return function(more, other) sample(name, more, other) end
end

local text = get_contents(arg[1])
for at = 2, #arg, 2 do
  local from, to = arg[at], arg[at + 1]
  local begins, ends = text:find(from, 1, true)
  text = text:sub(1, begins - 1) .. to .. text:sub(ends + 1)
end
local collector = assert(loadstring(text, arg[1]))()
local duration = metric("node_scrape_collector_duration_seconds", "gauge")
local success = metric("node_scrape_collector_success", "gauge")
local fine, problem = pcall(collector.scrape)
if not fine then io.stderr:write(problem) end
duration({ collector = "sipalg" }, 0.1)
success({ collector = "sipalg" }, fine and 1 or 0)
