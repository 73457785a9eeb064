#!/bin/bash
# What the findings share: a temporary folder, packages unpacked into it, a network of one's own, and the verdict.
#
# A finding sources this file, fetches its packages, calls `own_network` where it needs the kernel, and ends in
# `as_described` or `changed`:
#   exit 0  the behaviour is as described        exit 1  it has changed        exit 2  it cannot be run here (a sentence says why)
# Whatever fails before the verdict is exit 2 too: a download that failed says nothing about a tool.

set -eu -o pipefail
export LC_ALL=C
# shellcheck disable=SC2034 # for the findings: where udp.mjs and its like are
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
seconds=40                                   # one finding, without its downloads

cannot() { printf 'cannot be run here: %s\n' "$*" >&2; exit 2; }

# Set where the finding runs a second time, inside its own namespaces; the first run owns the folder and takes it away.
if [ -z "${FINDING_FOLDER:-}" ]; then
  FINDING_FOLDER=$(mktemp -d)
  owner=yes
else
  owner=no
fi
export FINDING_FOLDER
folder=$FINDING_FOLDER
judged=no

finish() {
  local status=$?
  if [ "$owner" = yes ]; then rm -rf "$folder"; fi
  if [ "$judged" = no ] && [ "$status" -ne 2 ]; then
    printf 'cannot be run here: a command before the verdict ended with status %s\n' "$status" >&2
    exit 2
  fi
}
trap finish EXIT

# debian NAME[=VERSION]...: the packages and what they need beyond what is installed, unpacked and first in PATH.
# The machine's own packages stay as they are. A version that is served no more is replaced by the one that is, and named.
debian() {
  [ "$owner" = yes ] || return 0
  command -v apt-get >/dev/null || cannot 'apt-get is missing; the packages of this finding come from Debian'
  local wanted=() name served
  for name in "$@"; do
    served=$(apt-cache madison "${name%%=*}")
    if [[ $name == *=* && $served != *" ${name#*=} "* ]]; then
      printf 'note: Debian no longer serves %s here; this run takes the version it serves\n' "$name"
      name=${name%%=*}
    fi
    wanted+=("$name")
  done
  mkdir -p "$folder/archives/partial" "$folder/root"
  timeout 120 apt-get install --download-only --reinstall --no-install-recommends -y -q \
    -o Debug::NoLocking=1 -o "Dir::Cache::archives=$folder/archives" "${wanted[@]}" >"$folder/apt.log" 2>&1 ||
    { tail -n 3 "$folder/apt.log" >&2; cannot "apt-get could not fetch ${wanted[*]} (run apt-get update first?)"; }
  local archive
  for archive in "$folder"/archives/*.deb; do dpkg-deb -x "$archive" "$folder/root"; done
  for name in "$@"; do
    archive=("$folder/archives/${name%%=*}_"*.deb)
    printf 'ran with: %s %s (Debian)\n' "$(dpkg-deb -f "${archive[0]}" Package)" "$(dpkg-deb -f "${archive[0]}" Version)"
  done
  unpacked
}

unpacked() {
  local root=$folder/root libraries
  libraries=$(find "$root/lib" "$root/usr/lib" -maxdepth 1 -type d -name '*-linux-gnu*' 2>/dev/null | paste -sd: || true)
  export PATH="$root/usr/sbin:$root/usr/bin:$root/sbin:$root/bin:$PATH:/usr/sbin:/sbin"
  export LD_LIBRARY_PATH="$libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
  export XTABLES_LIBDIR="${libraries##*:}/xtables"   # iptables looks for its extensions nowhere else
}

# npm_package NAME@VERSION...: in $folder/node_modules, without running any script of theirs.
npm_package() {
  [ "$owner" = yes ] || return 0
  command -v npm >/dev/null || cannot 'npm is missing'
  timeout 120 npm install --prefix "$folder" --no-save --no-audit --no-fund --ignore-scripts "$@" >"$folder/npm.log" 2>&1 ||
    { tail -n 3 "$folder/npm.log" >&2; cannot "npm could not fetch $*"; }
  printf 'ran with: %s (npm)\n' "$@"
}

# own_network: from here on the finding runs in network, mount and process namespaces of its own; all of them end with it.
own_network() {
  if [ "$owner" = yes ]; then
    [ "$(id -u)" = 0 ] || cannot 'network namespaces need root'
    unshare --net true 2>/dev/null || cannot 'this kernel lets nobody make a network namespace'
    printf 'ran with: Linux %s\n' "$(uname -r)"
    local status=0
    timeout --foreground --kill-after=2 "$seconds" \
      unshare --net --mount --pid --fork --kill-child --mount-proc bash "$0" || status=$?
    case $status in
      124 | 137) cannot "it did not end within $seconds seconds" ;;
    esac
    judged=yes
    exit "$status"
  fi
  mount -t tmpfs none /run
  mkdir /run/netns
  ip link set lo up
}

# bounded COMMAND...: the same bound in time, for what needs no namespace.
bounded() { timeout --kill-after=2 "$seconds" "$@"; }

# kernel_from VERSION: where the behaviour is that of newer kernels.
kernel_from() {
  [ "$(printf '%s\n' "$1" "$(uname -r)" | sort -V | head -n 1)" = "$1" ] ||
    cannot "this is the way of Linux $1 and later, and here runs $(uname -r)"
}

# pair NAMESPACE DEVICE ADDRESS PEER PEER-ADDRESS: a host of its own, joined to this one by a veth.
pair() {
  ip netns add "$1"
  ip link add "$2" type veth peer name "$4" netns "$1"
  ip address add "$3" dev "$2"
  ip link set "$2" up
  ip -n "$1" link set lo up
  ip -n "$1" address add "$5" dev "$4"
  ip -n "$1" link set "$4" up
}

# until_true SECONDS COMMAND...: waits for it, asking ten times a second.
until_true() {
  local left=$(($1 * 10))
  shift
  until "$@"; do
    left=$((left - 1))
    [ "$left" -gt 0 ] || return 1
    sleep 0.1
  done
}

# alg_router: a phone (192.168.1.10), this router (lan0; wan0 is 203.0.113.20, masqueraded) with the kernel's SIP helper
# on UDP 5060, and a provider (203.0.113.10). Needs nft and conntrack. Loads no module, for that would outlive the finding.
alg_router() {
  [ -d /sys/module/nf_conntrack_sip ] || cannot 'this kernel has not loaded nf_conntrack_sip and nf_nat_sip (modprobe them first)'
  pair phone lan0 192.168.1.1/24 eth0 192.168.1.10/24
  pair provider wan0 203.0.113.20/24 eth0 203.0.113.10/24
  ip -n phone route add default via 192.168.1.1
  echo 1 >/proc/sys/net/ipv4/ip_forward
  nft -f - <<'NFT'
table ip nat { chain postrouting { type nat hook postrouting priority 100; oifname "wan0" masquerade; }; }
table inet alg {
  ct helper sip { type "sip" protocol udp; }
  chain prerouting { type filter hook prerouting priority 0; iifname "lan0" udp dport 5060 ct helper set "sip"; }
}
NFT
  provider_listens 5060
  request OPTIONS 192.168.1.10:5099 | phone_sends 5099
  arrived 1 || cannot 'an OPTIONS does not reach the provider'
  grep -q '^Via: SIP/2.0/UDP 203.0.113.20:5099' "$folder/at/1" || cannot 'the SIP helper rewrites nothing here (is nf_nat_sip loaded?)'
  conntrack -F >/dev/null 2>&1
  provider_listens 5060
}

listener=
# provider_listens PORT [FILE-TO-ANSWER-WITH]: from now on what arrives is $folder/at/1, 2...
provider_listens() {
  if [ -n "$listener" ]; then kill "$listener"; wait "$listener" 2>/dev/null || true; fi
  rm -rf "$folder/at"
  mkdir "$folder/at"
  ip netns exec provider node "$here/udp.mjs" receive "203.0.113.10:$1" "$seconds" "$folder/at" ${2:+"$2"} &
  listener=$!
  until_true 10 test -e "$folder/at/ready" || cannot 'the provider does not listen'
}
arrived() { until_true "${2:-3}" test -e "$folder/at/$1"; }

# phone_sends PORT [TO-PORT [NAMESPACE ADDRESS]]: standard input in one datagram to the provider.
phone_sends() {
  ip netns exec "${3:-phone}" node "$here/udp.mjs" send "${4:-192.168.1.10}:$1" "203.0.113.10:${2:-5060}"
}

# request METHOD HOST:PORT [CONTENT-TYPE < body]: a whole request with lines that end in CRLF, as RFC 3261 has it.
request() {
  local body=
  if [ $# -gt 2 ]; then body=$(sed 's/$/\r/'; echo .); body=${body%.}; fi
  printf '%s\r\n' "$1 sip:bob@203.0.113.10 SIP/2.0" "Via: SIP/2.0/UDP $2;branch=z9hG4bK-$RANDOM;rport" 'Max-Forwards: 70' \
    "From: <sip:alice@$2>;tag=a" 'To: <sip:bob@203.0.113.10>' "Call-ID: $RANDOM@alice" "CSeq: 1 $1" "Contact: <sip:alice@$2>"
  if [ $# -gt 2 ]; then printf '%s\r\n' "Content-Type: $3"; fi
  printf '%s\r\n' "Content-Length: ${#body}" ''
  printf %s "$body"
}
# sdp ADDRESS PORT [ORIGIN]
sdp() {
  printf '%s\n' v=0 "o=alice 1 1 IN IP4 ${3:-$1}" s=- "c=IN IP4 $1" 't=0 0' "m=audio $2 RTP/AVP 8" 'a=rtpmap:8 PCMA/8000'
}

expected() { printf 'expected: %s\n' "$*"; }
seen() { printf 'seen:     %s\n' "$*"; }

# The verdict, one of these two.
as_described() { judged=yes; printf 'verdict:  as described\n'; exit 0; }
changed() { judged=yes; printf 'verdict:  CHANGED, the behaviour is no longer as described\n'; exit 1; }

if [ "$owner" = no ]; then unpacked; fi
