#!/bin/sh
# Gives back all that sipalg has changed on this router. Run before its package is removed (prerm, pre-deinstall); may be
# run by hand. The program does it where it still can. Where its engine has gone before, this does what plain shell can do:
# whole files, marked lines, our own tables and sections. It never edits half a file and never stands in the way of the
# removal; what it cannot give back it names, and then it leaves the journal, from which a later `sipalg enable` can.
# /etc/config/sipalg stays as its owner left it.

R=${SIPALG_ROOT-} # another root, for tests
JOURNAL=$R/etc/sipalg.journal
WISH=$R/etc/config/sipalg
FIREWALL=$R/etc/config/firewall
BLOCK=$R/etc/modules.conf
# shellcheck disable=SC2016 # the mark itself has backticks
MARK='# sipalg: keeps the SIP ALG out; `sipalg enable` takes this away'
PROGRAM=$R/usr/sbin/sipalg
POLICY="$R/etc/sipalg.policy $R/etc/sipalg.include $R/etc/sipalg.offload $R/etc/sipalg.names $R/etc/sysctl.d/99-sipalg.conf"

left='' # not empty: something could not be given back

say() { echo "sipalg: $*" >&2; }
echoed() { echo "[#] $*" >&2; }
leave() { left=1; say "$*"; }
there() { command -v "$1" >/dev/null 2>&1; }

# The loadfiles of the providers' sets.
loadfiles() { for each in "$R"/etc/sipalg.*[46] "$R"/etc/sipalg.*[46]m; do [ ! -e "$each" ] || echo "$each"; done; }

# A folder for temporary files, with room: where /tmp is full or cannot be written, another place does. A file that was cut
# short there would be taken for what is to be.
T=''
for each in "${TMPDIR:-/tmp}" /tmp "$R/var/run" "$R/root" "$R/etc"; do
	T=$(mktemp -d "$each/sipalg.XXXXXX" 2>/dev/null) || { T=$each/sipalg.$$; (umask 077; mkdir "$T") 2>/dev/null || T=''; }
	[ -n "$T" ] || continue
	dd if=/dev/zero of="$T/room" bs=1024 count=512 2>/dev/null && rm -f "$T/room" && break
	rm -rf "$T"
	T=''
done
trap '[ -z "$T" ] || rm -rf "$T"' EXIT

# put FILE NEW: FILE becomes NEW in one step, with its mode.
put() {
	[ ! -e "$1" ] || cp -p "$1" "$1.sipalg-new" || return 1
	cat "$2" > "$1.sipalg-new" && mv "$1.sipalg-new" "$1" && sync && return 0
	rm -f "$1.sipalg-new"
	return 1
}

# Without our sections (config TYPE 'sipalg_NAME'), and the blank line each began with.
without_sections() {
	awk '
		/^[ \t]*(config|package)[ \t]/ { ours = ($1 == "config" && $3 ~ /^["'\'']?sipalg_[A-Za-z0-9_]*["'\'']?$/) }
		ours { if (blank != "") blank = ""; next }
		/^[ \t]*$/ { printf "%s", blank; blank = $0 "\n"; next }
		{ printf "%s", blank; blank = ""; print }
		END { printf "%s", blank }' "$1"
}

# Without what the program has added to /etc/modules.conf: its mark, and each of the two names once right behind it.
without_block() {
	awk -v mark="$MARK" '
		$0 == mark { open = 1; tracker = 1; rewriter = 1; next }
		open && tracker && $0 == "blacklist nf_conntrack_sip" { tracker = 0; next }
		open && rewriter && $0 == "blacklist nf_nat_sip" { rewriter = 0; next }
		{ open = 0; print }' "$1"
}

entry() { jsonfilter -i "$JOURNAL" -e "@.taken[$1].$2" 2>/dev/null; }

# entry_file N NAME FILE: a text of the journal, byte for byte; jsonfilter ends what it prints with a newline of its own.
entry_file() {
	jsonfilter -i "$JOURNAL" -e "@.taken[$1].$2" > "$T/raw" 2>/dev/null || return 1
	local size
	size=$(wc -c < "$T/raw")
	: > "$3"
	[ "$size" -lt 2 ] || dd if="$T/raw" of="$3" bs=$((size - 1)) count=1 2>/dev/null
}

# give_file N: a file comes back where it still is what we left, our sections of the voice rules aside.
give_file() {
	local path kind
	path=$(entry "$1" path)
	kind=$(jsonfilter -i "$JOURNAL" -t "@.taken[$1].before" 2>/dev/null)
	[ -e "$R$path" ] || return 0 # its owner has removed it, and our lines with it
	if ! entry_file "$1" after "$T/after" || ! entry_file "$1" before "$T/before"; then
		leave "$path is not given back: the journal does not say what it was."
		return
	fi
	[ "$kind" = null ] || ! cmp -s "$R$path" "$T/before" || return 0
	cp "$R$path" "$T/now"
	if [ "$R$path" = "$FIREWALL" ] && ! cmp -s "$T/now" "$T/after"; then
		for each in now after before; do without_sections "$T/$each" > "$T/$each.less"; mv "$T/$each.less" "$T/$each"; done
	fi
	if cmp -s "$T/now" "$T/after"; then
		if [ "$kind" = null ]; then
			echoed "rm $path"
			rm -f "$R$path"
		else
			echoed "$path is written as it was"
			put "$R$path" "$T/before" || leave "$path could not be written."
		fi
	elif [ "$R$path" != "$BLOCK" ] && ! cmp -s "$T/now" "$T/before"; then
		leave "$path has been edited since sipalg changed it, so it is left as it is."
	fi
}

# Modules come back with the parameters that can be set while they are loaded.
give_module() {
	local name
	name=$(entry "$1" name)
	[ ! -d "$R/sys/module/$name" ] || return 0
	echoed "modprobe $name"
	modprobe "$name" >/dev/null 2>&1
	if [ ! -d "$R/sys/module/$name" ]; then
		leave "$name is not loaded again; the next boot does that where its package is still installed."
		return
	fi
	for each in sip_timeout sip_direct_signalling sip_direct_media sip_external_media; do
		value=$(entry "$1" "parameters.$each")
		[ -z "$value" ] || [ ! -e "$R/sys/module/$name/parameters/$each" ] || echo "$value" > "$R/sys/module/$name/parameters/$each"
	done
}

# Rules: those of the firewall itself come with its reload; anybody else's are named.
name_rules() {
	local rules
	case $2 in
	nft) ! jsonfilter -i "$JOURNAL" -e "@.taken[$1].rules[*].table" 2>/dev/null | grep -qvx fw4 && return ;;
	iptables) [ ! -e "$R/sbin/fw4" ] && [ -x "$R/sbin/fw3" ] && return ;;
	esac
	rules=$(jsonfilter -i "$JOURNAL" -e "@.taken[$1].rules[*].rule" 2>/dev/null | tr '\n' ';')
	leave "These rules are not the firewall's own and are not put back: $rules"
}

firewall_reload() {
	if [ -x "$R/sbin/fw4" ]; then
		if fw4 check >/dev/null 2>&1; then
			echoed 'fw4 reload'
			fw4 reload >/dev/null 2>&1
		else
			leave 'The firewall does not take its configuration (fw4 check), so it is not reloaded.'
		fi
	elif [ -x "$R/sbin/fw3" ] && [ -e "$R/var/run/fw3.state" ]; then
		# Without that file its owner has stopped it, and a reload would start it.
		echoed 'fw3 reload'
		fw3 reload >/dev/null 2>&1
	fi
}

# Everything of the voice rules bears our name.
take_policy() {
	if there nft && nft list table inet sipalg >/dev/null 2>&1; then
		echoed 'nft delete table inet sipalg'
		nft delete table inet sipalg || leave 'The table inet sipalg could not be deleted.'
	fi
	if there nft; then
		for each in $(nft -a list chain inet fw4 forward 2>/dev/null | sed -n 's/.*comment "!sipalg:.*# handle \([0-9]*\)$/\1/p'); do
			echoed "nft delete rule inet fw4 forward handle $each"
			nft delete rule inet fw4 forward handle "$each"
		done
	fi
	# The plain commands are one flavour; rules of the other one may be from before its change.
	for save in iptables-save ip6tables-save iptables-legacy-save ip6tables-legacy-save iptables-nft-save ip6tables-nft-save; do
		there $save || continue
		$save 2>/dev/null | awk '
			/^\*/ { if (text != "") printf "%s%s%sCOMMIT\n", table, text, chains; table = $0 "\n"; text = ""; chains = "" }
			/^:sipalg/ { name = substr($1, 2); text = "-F " name "\n" text; chains = chains "-X " name "\n" }
			/^-A/ && $2 !~ /^sipalg/ && (/ (-j|-g|--match-set) sipalg_/ || /--comment "?!?(fw[34]: )?sipalg: /) { sub(/^-A/, "-D"); text = text $0 "\n" }
			END { if (text != "") printf "%s%s%sCOMMIT\n", table, text, chains }' > "$T/rules"
		[ -s "$T/rules" ] || continue
		echoed "${save%-save}-restore --noflush < rules of sipalg, deleted"
		"${save%-save}-restore" --noflush < "$T/rules" || leave "The rules of sipalg in ${save%-save} could not be deleted."
	done
	name_unseen
}

# Tables of the flavour that nothing installed here shows: ours stay in them until a boot.
name_unseen() {
	local names
	for each in iptables:ip_tables_names ip6tables:ip6_tables_names; do
		grep -q "^## ${each%:*}" "$R/etc/sipalg.policy" 2>/dev/null || continue
		there "${each%:*}-legacy-save" && continue
		"${each%:*}" -V 2>/dev/null | grep -q nf_tables || { there "${each%:*}" && continue; }
		names=$(tr '\n' ' ' 2>/dev/null < "$R/proc/net/${each#*:}")
		[ -z "$names" ] || leave "Chains of sipalg may stay in legacy tables of ${each%:*} (${names% }), which nothing installed here shows; a reboot ends them."
	done
}

# After the firewall has been loaded without the rules of its own that use a set.
take_sets() {
	there ipset || return 0
	for each in $(ipset list -n 2>/dev/null | grep '^sipalg'); do
		echoed "ipset destroy $each"
		ipset destroy "$each" 2>/dev/null || leave "The set $each could not be deleted."
	done
}

take_sections() {
	[ -f "$FIREWALL" ] || return 1
	without_sections "$FIREWALL" > "$T/firewall"
	cmp -s "$FIREWALL" "$T/firewall" && return 1
	if there uci && ! uci -c "$T" -q show firewall >/dev/null; then
		leave 'The sections of sipalg in /etc/config/firewall could not be taken out.'
		return 1
	fi
	echoed 'uci delete of the sections sipalg_* in /etc/config/firewall'
	put "$FIREWALL" "$T/firewall" || { leave '/etc/config/firewall could not be written.'; return 1; }
}

# 99-sipalg.conf says what there was before: "# before: UDP STREAM".
take_sysctl() {
	sed -n 's/^# before: \([0-9]\{1,\}\) \([0-9]\{1,\}\)$/\1 \2/p' "$R/etc/sysctl.d/99-sipalg.conf" 2>/dev/null | while read -r udp stream; do
		echoed "sysctl -w net.netfilter.nf_conntrack_udp_timeout=$udp net.netfilter.nf_conntrack_udp_timeout_stream=$stream"
		echo "$udp" > "$R/proc/sys/net/netfilter/nf_conntrack_udp_timeout"
		echo "$stream" > "$R/proc/sys/net/netfilter/nf_conntrack_udp_timeout_stream"
	done
}

changed() {
	[ -e "$JOURNAL" ] && return 0
	for each in $POLICY; do [ -e "$each" ] && return 0; done
	[ -n "$(loadfiles)" ] && return 0
	[ -f "$BLOCK" ] && grep -qxF "$MARK" "$BLOCK" && return 0
	[ -f "$FIREWALL" ] && ! without_sections "$FIREWALL" | cmp -s "$FIREWALL" - && return 0
	there nft && nft list table inet sipalg >/dev/null 2>&1
}

# Where nothing can be given back, what stays is named.
name_all() {
	# shellcheck disable=SC2046 # a list of paths without blanks
	for each in "$JOURNAL" $POLICY $(loadfiles); do [ ! -e "$each" ] || say "${each#"$R"} stays."; done
	[ ! -f "$BLOCK" ] || ! grep -qxF "$MARK" "$BLOCK" || say '/etc/modules.conf keeps the SIP modules out, behind the mark of sipalg.'
	[ ! -f "$FIREWALL" ] || without_sections "$FIREWALL" | cmp -s "$FIREWALL" - || say 'The sections sipalg_* of /etc/config/firewall stay.'
	! there nft || ! nft list table inet sipalg >/dev/null 2>&1 || say 'The nft table inet sipalg stays.'
}

# The program itself. It writes its wishes down, so the owner's file is put back behind it.
by_program() {
	local had=''
	if { ! there qjs && ! there node; } || [ ! -x "$PROGRAM" ]; then
		say 'Neither qjs nor Node is here any more, so plain shell gives back what it can.'
		return
	fi
	if [ -e "$WISH" ]; then
		cp -p "$WISH" "$T/wish" || return
		had=1
	fi
	if [ -n "$had" ]; then
		sed "s/^\([[:space:]]*option[[:space:]]\{1,\}['\"]\{0,1\}policy['\"]\{0,1\}[[:space:]]\{1,\}\).*/\1'0'/" "$T/wish" > "$T/off"
		cmp -s "$T/wish" "$T/off" || put "$WISH" "$T/off"
	fi
	"$PROGRAM" enable >/dev/null
	! changed || "$PROGRAM" apply >/dev/null
	if [ -z "$had" ]; then rm -f "$WISH"; else cmp -s "$T/wish" "$WISH" || put "$WISH" "$T/wish"; fi
	! changed || say 'The program could not give everything back, so plain shell gives back what it can.'
}

by_shell() {
	local reload='' at kind kinds=''
	take_policy
	take_sysctl
	if [ -e "$JOURNAL" ]; then
		if there jsonfilter && [ "$(jsonfilter -i "$JOURNAL" -e '@.format' 2>/dev/null)" = 1 ]; then
			kinds=$(jsonfilter -i "$JOURNAL" -e '@.taken[*].kind' 2>/dev/null)
			# The last change is undone first; modules follow when nothing blocks them any more.
			at=$(echo "$kinds" | grep -c .)
			for kind in $(echo "$kinds" | awk '{ line[NR] = $0 } END { for (i = NR; i > 0; i--) print line[i] }'); do
				at=$((at - 1))
				case $kind in
				file) give_file $at ;;
				nft|iptables) name_rules $at "$kind"; reload=1 ;;
				automatic) entry $at value > "$R/proc/sys/net/netfilter/nf_conntrack_helper" ;;
				esac
			done
		else
			leave "The journal ${JOURNAL#"$R"} could not be read, so files and rules are left as they are."
		fi
	fi
	if [ -f "$BLOCK" ] && grep -qxF "$MARK" "$BLOCK"; then
		echoed 'the marked lines are taken out of /etc/modules.conf'
		without_block "$BLOCK" > "$T/block"
		put "$BLOCK" "$T/block" || leave '/etc/modules.conf could not be written.'
	fi
	at=0
	for kind in $kinds; do
		[ "$kind" != module ] || { give_module $at; reload=1; }
		at=$((at + 1))
	done
	take_sections && reload=1
	[ -z "$reload" ] || firewall_reload
	take_sets
	# shellcheck disable=SC2046,SC2086 # lists of paths without blanks
	rm -f $POLICY $(loadfiles) "$R"/etc/sipalg.*.sipalg-new "$R"/etc/sysctl.d/99-sipalg.conf*.sipalg-new
	[ -n "$left" ] || rm -f "$JOURNAL"
}

# words NAME FILE: the words of a list of lists or of objects, one a line: [["a","b"],["c"]] is `a b` and `c`.
words() {
	sed -n "s/.*\"$1\":\[\([^{}]*\|{.*}\)\],\"$2\".*/\1/p" "$3" |
		sed 's/\],\[/\n/g; s/},{/\n/g; s/"address"://g; s/"device"://g' | tr -d '[]{}"' | tr ',' ' ' | grep '^[0-9a-f]*[.:][-0-9a-zA-Z_.:/ ]*$'
}

# What a test by live packets has made and not taken away, by the list it wrote before (src/probe/record/made.ts): its table,
# its devices, its rules and routes, what the kernel learnt of its phone. Nothing is touched that does not bear the run's own number.
take_tests() {
	local file pid began address device
	for file in "$R"/var/run/sipalg.made.*; do
		[ -f "$file" ] || continue
		pid=${file##*.}
		# One that goes on takes its things away itself.
		began=$(sed -n 's/.*"began":"\([0-9]*\)".*/\1/p' "$file")
		if [ -n "$began" ] && [ "$(sed 's/.*) //' "$R/proc/$pid/stat" 2>/dev/null | cut -d' ' -f20)" = "$began" ]; then
			kill "$pid" 2>/dev/null
			for _ in 1 2 3 4 5; do [ ! -e "$file" ] || sleep 1; done
			[ -e "$file" ] || continue
		fi
		for table in $(grep -o "netdev sipalg_[a-z]*_$pid\"" "$file" | tr -d '"' | cut -d' ' -f2); do
			echoed "nft delete table netdev $table"
			nft delete table netdev "$table" 2>/dev/null
		done
		for device in $(sed 's/.*"devices":\[//; s/\].*//' "$file" | tr -d '"' | tr ',' ' '); do
			case $device in sip[a-z]?*) ;; *) continue ;; esac
			[ ! -e "/sys/class/net/$device" ] || { echoed "ip link del $device"; ip link del "$device"; }
		done
		sed -n 's/.*"rules":\[\(.*\)\],"routes".*/\1/p' "$file" | sed 's/\],\[/\n/g' | tr -d '[]"' | tr ',' ' ' |
			grep '^[-0-9a-zA-Z_.:/ ]* lookup 190 priority 51$' | while read -r address; do
				# shellcheck disable=SC2086 # words
				ip rule del $address 2>/dev/null
			done
		# shellcheck disable=SC2086 # words
		words routes neighbours "$file" | while read -r address; do ip route del $address 2>/dev/null; done
		words neighbours hosts "$file" | while read -r address device; do
			ip neigh del "$address" dev "$device" 2>/dev/null || ip neigh flush to "$address" dev "$device" 2>/dev/null
		done
		sed 's/.*"hosts":\[//; s/\].*//' "$file" | tr -d '"' | tr ',' '\n' | grep '^[0-9a-f][0-9a-f.:]*$' | while read -r address; do
			case $address in *:*) device=ipv6 ;; *) device=ipv4 ;; esac
			if there conntrack; then conntrack -D -f $device --orig-src "$address" >/dev/null 2>&1
			else echo "$address" > "$R/proc/net/nf_conntrack"; fi 2>/dev/null
		done
		rm -f "$file"
	done
}

# What would reach the wish again: the daemon is another package, which a manager can be made to leave behind,
# and so is what would go on writing and recording.
for each in sipalg-hep sipalg-metrics sipalg-daemon sipalg; do
	[ ! -x "$R/etc/init.d/$each" ] || "$R/etc/init.d/$each" stop >/dev/null 2>&1
done
take_tests
if changed; then
	if [ -n "$T" ]; then
		by_program
		! changed || by_shell
	else
		leave "No folder can be written, not even for temporary files (/tmp, /var/run, /root, /etc), so nothing is given back."
		name_all
	fi
fi
# The stock configuration that opkg or apk has put beside a changed one is no more of use than the package.
rm -f "$R"/var/run/sipalg.probed.* "$R"/var/run/sipalg.run* "$WISH-opkg" "$WISH.apk-new"
# What was kept of phones and runs, among it who speaks how often.
for each in hep hotplug intervals line link lock names policy probe.lock; do rm -f "$R/var/run/sipalg.$each"; done
if [ -n "$left" ]; then
	say "Not everything was given back. What was there before is written in ${JOURNAL#"$R"}: install sipalg again and run \`sipalg enable\`, or give it back by hand and remove that file."
fi
exit 0
