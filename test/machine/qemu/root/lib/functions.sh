# Stands in for OpenWrt's /lib/functions.sh: reading of UCI files, and what packages' scripts call. Runs offline too:
# with IPKG_INSTROOT an image is being built, and nothing outside of it is touched.

list_contains() {
	local all
	eval "all=\" \$$1 \""
	case "$all" in *" $2 "*) return 0 ;; esac
	return 1
}

# config_load PACKAGE: options become variables _uci_SECTION_OPTION.
config_load() {
	[ -z "$IPKG_INSTROOT" ] || return 0
	local file=/etc/config/$1 line section= type anonymous=0 old
	for old in $_uci_set; do unset "$old"; done
	_uci_set=
	_uci_sections=
	[ -r "$file" ] || return 1
	while IFS= read -r line || [ -n "$line" ]; do
		eval "set -- $line" 2>/dev/null || return 1
		case "$1" in
			config)
				type=$2
				section=$3
				if [ -z "$section" ]; then section=cfg$anonymous; anonymous=$((anonymous + 1)); fi
				_uci_sections="$_uci_sections $section"
				_uci_put TYPE "$type" ;;
			option) _uci_put "$2" "$3" ;;
			list)
				eval "old=\$_uci_${section}_$2"
				_uci_put "$2" "${old:+$old }$3" ;;
		esac
	done <"$file"
}

_uci_put() {
	case "$section$1" in *[!A-Za-z0-9_]*) return ;; esac
	eval "_uci_${section}_$1=\$2"
	_uci_set="$_uci_set _uci_${section}_$1"
}

config_get() {                          # VARIABLE SECTION OPTION [DEFAULT]
	case "$2$3" in *[!A-Za-z0-9_]*) return ;; esac
	eval "$1=\${_uci_${2}_$3:-\$4}"
}

config_get_bool() {
	local _value
	config_get _value "$2" "$3" "$4"
	case "$_value" in
		1|on|true|yes|enabled) _value=1 ;;
		0|off|false|no|disabled) _value=0 ;;
		*) _value=$4 ;;
	esac
	eval "$1=\$_value"
}

config_foreach() {                      # FUNCTION [TYPE] ARGUMENTS...
	local _function=$1 _type=$2 _section _is
	shift; [ $# -eq 0 ] || shift
	for _section in $_uci_sections; do
		config_get _is "$_section" TYPE
		[ -n "$_type" ] && [ "$_type" != "$_is" ] || "$_function" "$_section" "$@"
	done
}

config_list_foreach() {                 # SECTION LIST FUNCTION ARGUMENTS...
	local _all _each _function=$3
	config_get _all "$1" "$2"
	shift 3
	for _each in $_all; do "$_function" "$_each" "$@"; done
}

# The list of a package's files, wherever its manager keeps it.
_files_of() {
	if [ -f "$1/lib/apk/packages/$2.list" ]; then echo "$1/lib/apk/packages/$2.list"; else echo "$1/usr/lib/opkg/info/$2.list"; fi
}

_own_part() {                           # ROOT PACKAGE postinst|prerm: opkg's packages carry it as a file of its own
	[ ! -f "$1/usr/lib/opkg/info/$2.$3-pkg" ] || ( . "$1/usr/lib/opkg/info/$2.$3-pkg" )
}

default_postinst() {
	local root=$IPKG_INSTROOT name=$pkgname files script status
	[ -n "$name" ] || { name=${1##*/}; name=${name%.*}; }
	files=$(_files_of "$root" "$name")
	if [ -z "$root" ]; then
		! grep -q -s '^/etc/modules.d/' "$files" || kmodloader
		! grep -q -s '^/etc/sysctl.d/' "$files" || /etc/init.d/sysctl restart
		for script in $(grep -s '^/etc/uci-defaults/' "$files"); do
			( [ -f "$script" ] && cd /etc/uci-defaults && . "$script" ) && rm -f "$script"
		done
	fi
	_own_part "$root" "$name" postinst
	status=$?
	for script in $(grep -s '^/etc/init.d/' "$files"); do
		if [ -n "$root" ]; then
			/bin/sh "$root/etc/rc.common" "$root$script" enable
		else
			[ "$PKG_UPGRADE" = 1 ] || "$script" enable
			"$script" start
		fi
	done
	return $status
}

default_prerm() {
	local root=$IPKG_INSTROOT name=$pkgname files script status
	[ -n "$name" ] || { name=${1##*/}; name=${name%.*}; }
	files=$(_files_of "$root" "$name")
	_own_part "$root" "$name" prerm
	status=$?
	for script in $(grep -s '^/etc/init.d/' "$files"); do
		if [ -n "$root" ]; then
			/bin/sh "$root/etc/rc.common" "$root$script" disable
		else
			[ "$PKG_UPGRADE" = 1 ] || "$script" disable
			"$script" stop
		fi
	done
	return $status
}

add_group_and_user() { :; }
