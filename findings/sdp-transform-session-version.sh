#!/bin/bash
# npm's sdp-transform reads a 64-bit session version without loss and writes it rounded: two offers come out with the
# same version.
#
# RFC 3264 (section 5) lets the version in `o=` be any 64-bit signed number; RFC 4566 recommends an NTP timestamp.
# `parse` keeps what a double cannot hold as text; `write` puts that text through a number all the same. A changed
# offer (hold, another address) whose version has not risen is one that the other side may take for the old one.
set -eu
. "$(dirname "$0")/lib.sh"
npm_package sdp-transform@3.0.0
printf 'ran with: Node %s\n' "$(node -p process.versions.node)"

versions() { # which step of what: parse, write
  bounded node -p "
    const sdp = require('$folder/node_modules/sdp-transform');
    const offer = (version, way) => sdp.parse(['v=0', 'o=- 1 ' + version + ' IN IP4 192.0.2.1', 's=-', 'c=IN IP4 192.0.2.1', 't=0 0',
      'm=audio 49170 RTP/AVP 0', 'a=' + way, ''].join('\r\n'));
    [offer('3890842807000000003', 'sendrecv'), offer('3890842807000000004', 'sendonly')].map($1).join(' ')"
}
parsed=$(versions '(offer) => String(offer.origin.sessionVersion)')
written=$(versions '(offer) => sdp.write(offer).match(/^o=\S+ \S+ (\S+)/m)[1]')
expected "write(parse(offer)) keeps the versions 3890842807000000003 and 3890842807000000004"
seen "parse has $parsed, write gives $written"
[[ $parsed = '3890842807000000003 3890842807000000004' && ${written% *} = "${written#* }" ]] || changed
as_described
