#!/bin/sh
# shellcheck shell=dash disable=SC3045 # ash's read knows -t
# Notices that the ALG may be back, where no daemon does: fw4 tells nobody that it has loaded the firewall, but writes its
# state file anew, and `firewall stop` removes it. Then, and every few minutes, `sipalg apply` looks, and takes away what has
# come back. Waiting costs no process: ash reads from a pipe into which nobody writes. Run by procd (/etc/init.d/sipalg).
# $1: minutes between two looks that nothing asked for (`option every`); what is no such number is 5.

RUN=${SIPALG_ROOT-}/var/run # another root, for tests
PROG=/usr/sbin/sipalg
FUNCTIONS=/lib/functions.sh
EVERY=5
case "$1" in [1-9]|[1-9][0-9]|[1-9][0-9][0-9]|1[0-4][0-9][0-9]) EVERY=$1 ;; esac
EVERY=$((EVERY * 60))
# Seconds. As the daemon rests (src/daemon/enforce.ts): after each try at first so long, then twice as long each time, up to
# the longest, until things have held for a while. With somebody who puts back what we take away there is no loop.
TICK=2
SETTLE=10
PAUSE=10
LONGEST=1800
HELD=600

child=''
said=''
links=1     # nothing where this file system has no links
tries=0
missing=0   # when something was last missing
notbefore=0 # when the next try may begin
next=0      # when to look though nothing has happened
event=''    # when something happened that has not been looked at
due=''      # not nothing: a look has found something to do, while it rested

clock() { read -r now _ </proc/uptime; now=${now%.*}; }

# Whether a daemon has all of this (see /usr/libexec/rpcd/sipalg).
served() {
	[ -e "$RUN/sipalg.daemon" ] || return 1
	local pid=''
	read -r pid _ <"$RUN/sipalg.daemon"
	case " $(tr '\0' ' ' <"/proc/${pid:-none}/cmdline") " in *' serve '*) ;; *) return 1 ;; esac
} 2>/dev/null

# Where nothing is wished nothing can come back, and no program is started; what cannot be read may be a wish. Asked anew each
# time: `sipalg disable` tells nobody but the file.
wished() (
	[ -r "$FUNCTIONS" ] || exit 0
	alg='' policy=''
	# shellcheck source=/dev/null
	. "$FUNCTIONS"
	config_load sipalg
	config_get alg main alg
	config_get_bool policy main policy 0
	[ "$alg" = disabled ] || [ "$policy" = 1 ]
) 3>&-

# What is there now is known. A file that is removed and written anew (fw4) is another one than the link keeps, whatever
# their times say; one that is written anew in its place (fw3) is newer than the stamp.
mark() {
	for each in fw4 fw3; do
		rm -f "$RUN/sipalg.seen-$each"
		[ ! -e "$RUN/$each.state" ] || ln "$RUN/$each.state" "$RUN/sipalg.seen-$each" 2>/dev/null || links=''
	done
	: >"$RUN/sipalg.seen"
	# A file that is newer than this moment was written by a clock that was ahead: times say nothing then.
	times=1
	for each in fw4 fw3; do [ ! "$RUN/$each.state" -nt "$RUN/sipalg.seen" ] || times=''; done
}

changed() {
	for each in fw4 fw3; do
		if [ -e "$RUN/$each.state" ]; then
			[ -z "$links" ] || [ "$RUN/$each.state" -ef "$RUN/sipalg.seen-$each" ] || return 0
			[ -z "$times" ] || [ ! "$RUN/$each.state" -nt "$RUN/sipalg.seen" ] || return 0
		else
			[ ! -e "$RUN/sipalg.seen-$each" ] || return 0
		fi
	done
	return 1
}

# `sipalg apply`: takes away what is back, which is a try. With --dry-run it only looks. What was done is said; what does not
# work is said once.
look() {
	local found='' line='' status=0 text=''
	"$PROG" apply "$@" >"$RUN/sipalg.watch" 2>&1 3>&- &
	child=$!
	# A signal ends the waiting, and not what is waited for.
	while wait "$child"; status=$?; [ "$status" -gt 128 ] && kill -0 "$child" 2>/dev/null; do :; done
	child=''
	while read -r line; do
		case "$line" in '[#] '*) found=1 ;; esac
		text="$text$line
"
	done <"$RUN/sipalg.watch"
	rm -f "$RUN/sipalg.watch"
	clock
	if [ -n "$found" ]; then missing=$now
	elif [ $((now - missing)) -ge "$HELD" ]; then tries=0 notbefore=0
	fi
	if [ $# -gt 0 ]; then
		due=$found
		return
	fi
	if [ -n "$found" ]; then
		# procd takes the one output for LOG_INFO and the other for LOG_ERR: what was done is no error.
		if [ "$status" -gt 1 ]; then exec 4>&2; else exec 4>&1; fi
		printf 'sipalg: not as wished any more\n%s' "$text" >&4
		exec 4>&-
		pause=$((PAUSE << tries))
		[ "$pause" -le "$LONGEST" ] && tries=$((tries + 1)) || pause=$LONGEST
		notbefore=$((now + pause))
	fi
	[ "$status" -gt 1 ] || text=''
	[ -n "$found" ] || [ -z "$text" ] || [ "$text" = "$said" ] || printf '%s' "$text" >&2
	said=$text
}

end() {
	trap '' TERM INT HUP
	# It may be in the middle of a change, which it takes back first.
	[ -z "$child" ] || { kill -TERM "$child"; wait "$child"; }
	rm -f "$RUN/sipalg.seen" "$RUN/sipalg.seen-fw4" "$RUN/sipalg.seen-fw3" "$RUN/sipalg.watch"
	exit 0
} 2>/dev/null
trap end TERM INT
trap 'next=0' HUP

# Open for reading and writing, so that there is no end of it.
pipe=$RUN/sipalg.pipe.$$
if mkfifo -m 600 "$pipe" 2>/dev/null; then
	exec 3<>"$pipe"
	rm -f "$pipe"
	nap() { read -r -t "$TICK" _ <&3; }
else
	nap() { sleep "$TICK"; }
fi

mark
while :; do
	nap
	clock
	if served; then
		event='' due='' next=0
		continue
	fi
	if changed; then
		mark
		event=${event:-$now}
		# The firewall may be in the middle of it.
		[ $((now - event)) -ge "$SETTLE" ] || continue
	fi
	if [ "$now" -ge "$notbefore" ]; then
		[ -n "$event$due" ] || [ "$now" -ge "$next" ] || continue
		event='' due='' next=$((now + EVERY))
		! wished || look
	else
		# It rests, and only looks whether things hold.
		[ -n "$event" ] || [ "$now" -ge "$next" ] || continue
		event='' next=$((now + EVERY))
		! wished || look --dry-run
	fi
done
