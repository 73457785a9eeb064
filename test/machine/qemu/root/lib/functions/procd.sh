# Stands in for procd and its shell part: instances really run, in the background. What it keeps of it:
#   - a service's lock is descriptor 1000
#   - an instance restarts when its command, environment or the contents of its `file`s differ, and else goes on
#   - instances that a start does not name any more are stopped
#   - stopping is not waited for: SIGTERM now, SIGKILL after term_timeout; a new one begins when the old one has ended
# Not kept: respawn, so that a daemon that dies is seen; and triggers.
_procd=/tmp/procd

procd_lock() {
	flock -n 1000 2>/dev/null && return
	mkdir -p /tmp/lock
	exec 1000>"/tmp/lock/procd_$_service.lock"
	flock 1000
}

procd_open_service() { procd_lock; _named=' '; }

procd_open_instance() {
	_instance=${1:-instance1}
	_named="$_named$_instance "
	_command= _environment= _files= _patience=5
}

procd_set_param() {
	local kind=$1 each
	shift
	case "$kind" in
		command) _command=; for each; do _command="$_command '$(echo "$each" | sed "s/'/'\\\\''/g")'"; done ;;
		env) for each; do _environment="$_environment '$each'"; done ;;
		file) _files="$*" ;;
		term_timeout) _patience=$1 ;;
	esac
}
procd_append_param() { procd_set_param "$@"; }

procd_close_instance() {
	local folder=$_procd/$_service/$_instance wanted old
	wanted=$(echo "$_environment$_command"; md5sum $_files 2>/dev/null)
	if _procd_alive "$folder" && [ "$wanted" = "$(cat "$folder/wanted")" ]; then return; fi
	old=$(cat "$folder/pid" 2>/dev/null)
	[ -z "$old" ] || _procd_end "$folder"
	mkdir -p "$folder"
	echo "$wanted" >"$folder/wanted"
	echo "$_patience" >"$folder/patience"
	(
		exec 1000>&-
		while [ -n "$old" ] && kill -0 "$old" 2>/dev/null; do sleep 0.1; done
		eval "exec setsid env $_environment $_command"
	) </dev/null >>"/tmp/log/$_service" 2>&1 &
	echo $! >"$folder/pid"
}

procd_close_service() {
	local folder
	for folder in "$_procd/$_service"/*; do
		[ -d "$folder" ] || continue
		case "$_named" in *" ${folder##*/} "*) ;; *) _procd_end "$folder"; rm -rf "$folder" ;; esac
	done
}

_procd_alive() { [ -f "$1/pid" ] && kill -0 "$(cat "$1/pid")" 2>/dev/null; }

_procd_end() {
	local pid
	_procd_alive "$1" || return 0
	pid=$(cat "$1/pid")
	kill -TERM "$pid"
	( exec 1000>&-
	  for each in $(seq "$(cat "$1/patience")"); do sleep 1; kill -0 "$pid" 2>/dev/null || exit 0; done
	  kill -KILL "$pid" ) >/dev/null 2>&1 &
}

# What procd's object `service` lists (procd/service/service.c, service_handle_list), by name; the rest of ubus as it is.
ubus() {
	local name
	if [ "$1 $2 $3" != 'call service list' ]; then command ubus "$@"; return; fi
	name=$(echo "$4" | sed -n 's/.*"name" *: *"\([^"]*\)".*/\1/p')
	[ ! -d "$_procd/$name" ] || printf '{\n\t"%s": {\n\t}\n}\n' "$name"
}

procd_running() {
	local folder
	for folder in "$_procd/$1"/${2:-*}; do ! _procd_alive "$folder" || return 0; done
	return 1
}

procd_kill() {
	local folder
	for folder in "$_procd/$1"/${2:-*}; do
		[ -d "$folder" ] || continue
		_procd_end "$folder"
		rm -rf "$folder"
	done
}

procd_send_signal() {
	local folder
	for folder in "$_procd/$1"/${2:-*}; do ! _procd_alive "$folder" || kill -s "${3:-HUP}" "$(cat "$folder/pid")"; done
}

procd_add_reload_trigger() { :; }
procd_add_reload_interface_trigger() { :; }
procd_add_interface_trigger() { :; }
procd_add_raw_trigger() { :; }
procd_add_config_trigger() { :; }
procd_open_trigger() { :; }
procd_close_trigger() { :; }
