#!/bin/bash
# node_exporter drops a sample when two textfiles word the HELP of one metric differently, and reports no error: HTTP
# 200, scrape_error 0.
#
# The first file's sample stays, the second's is gone; only the exporter's own log knows. Two versions of a tool on
# one host, or two tools that write one metric, are enough. A file with broken syntax, by contrast, sets
# node_textfile_scrape_error to 1.
set -eu
. "$(dirname "$0")/lib.sh"
debian prometheus-node-exporter=1.5.0-1+b6
own_network

mkdir "$folder/text"
metric() { printf '%s\n' "# HELP sip_registrations $1" '# TYPE sip_registrations gauge' "sip_registrations{line=\"$2\"} 1"; }
scrape() {
  node -e '
    fetch("http://127.0.0.1:9100/metrics").then(async (answer) => {
      console.log("HTTP " + answer.status + "\n" + await answer.text());
    })' >"$folder/page"
  local samples error
  samples=$(grep -c '^sip_registrations{' "$folder/page")
  error=$(grep '^node_textfile_scrape_error' "$folder/page")
  echo "$(head -n 1 "$folder/page"), $samples of 2 samples, $error"
}
# shellcheck disable=SC2317 # called by until_true
listens() { node -e 'require("net").connect(9100, "127.0.0.1").on("error", () => process.exit(1)).on("connect", () => process.exit(0))'; }
prometheus-node-exporter --collector.disable-defaults --collector.textfile "--collector.textfile.directory=$folder/text" \
  --web.listen-address=127.0.0.1:9100 2>"$folder/log" &
until_true 10 listens || cannot 'node_exporter does not listen'
metric 'Registrations that are up.' a >"$folder/text/a.prom"
metric 'Registrations that are up.' b >"$folder/text/b.prom"
same=$(scrape)
metric 'Registrations which are up.' b >"$folder/text/b.prom"
other=$(scrape)
expected "both samples, or an error that a scraper can see"
seen "same HELP: $same; other HELP: $other"
[[ $same = 'HTTP 200, 2 of 2 samples, node_textfile_scrape_error 0' ]] || changed
[[ $other = 'HTTP 200, 1 of 2 samples, node_textfile_scrape_error 0' ]] || changed
as_described
