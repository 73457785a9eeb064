-- The metrics of sipalg, for prometheus-node-exporter-lua: asked for at each scrape. Where the section `metrics` of
-- /etc/config/sipalg has them written for the textfile collector, that one shows them, and this one says nothing: of a metric
-- that is there twice, Prometheus takes neither.

local FILE = "/var/prometheus/sipalg.prom"
local COMMAND = "/usr/sbin/sipalg metrics 2>/dev/null"

local function scrape()
  local file = io.open(FILE, "r")
  if file then
    file:close()
    return
  end
  local pipe = io.popen(COMMAND, "r")
  local text = pipe and pipe:read("*a") or ""
  if pipe then pipe:close() end
  -- Lua 5.1 does not tell how a command ended; the last metric tells that all of them are there.
  if not text:match("\nsipalg_check_success [01]\n$") then
    error("sipalg metrics said nothing of use; is the package sipalg-fleet of the same version as sipalg?\n", 0)
  end
  -- `output` of the exporter adds the end of the line.
  output((text:gsub("\n$", "")))
end

return { scrape = scrape }
