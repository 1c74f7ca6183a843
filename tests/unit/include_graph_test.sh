#!/bin/sh
# Who includes whom. Run with the source root; prints each violation as "RULE FILE: HEADER" and fails when there is one.
#
#   octets   keys/secret_octets.h is for src/keys, src/crypto, src/zigbee/security, src/zwave/security and the files of secret_octets.allow
#   stale    a line of secret_octets.allow that no file needs any more
#   core     cores know neither the shell (loop/) nor sockets, files or clocks
#   arrow    a folder includes only folders that stand before it in the top meson.build
#   blind    nothing that keyway-gateway is made of reaches keys/, crypto/, zigbee/security/ or zwave/, through any chain of headers
#   missing  a header that is not in the tree: src/, or include/ for public ones
#
# With --bite it first proves itself: it breaks each rule in a copy of the tree and must find exactly that.
set -eu

check() { # source root
	(
		cd "$1"
		order=$(sed -n "s|^subdir('src/\(.*\)')|\1|p" meson.build | tr '\n' ' ')
		allowed=$(sed -n 's|^\([^#	][^	]*\)	..*|\1|p' tests/unit/secret_octets.allow | tr '\n' ' ')
		# first the headers that there are, then who includes what
		{
			find src include -name '*.h' | sed 's/^/there /'
			find src -name '*.[ch]' | LC_ALL=C sort | xargs grep -H '^#include' /dev/null
		} | LC_ALL=C awk -v order="$order" -v allowed="$allowed" '
		function folder(path) { # the longest folder of the order that path is in
			for (d = path; sub(/\/[^\/]*$/, "", d);)
				if (d in place)
					return d
			return ""
		}
		function is_core(file, f) {
			if (file ~ /^(gateway\/(coordinator|down|egp_client|radio_info|spinel_(host|private|scan|start)|formation)|sim\/(radio|device|device_(aps|attribute|mac|memory|nwk|parent|report|router|tc|zcl|zdo|private))|oci\/(mapping|oci_interview|oci_core|oci_nwk|oci_aps|oci_router))\.[ch]$/)
				return 1
			return f ~ /^(base|json|http|keys|crypto|ieee802154|zigbee|zigbee\/security|zwave\/security|zep|spinel|egp|gba|coap|mqtt|onem2m|security|e2e|serialization|semantics|eg|cse)$/
		}
		# What a core may not have of the system, but for the few whose work it is.
		function is_outside(file, header) {
			if (file == "base/clock.c" || file == "base/ip.c" || file == "onem2m/timestamp.c" || file == "keys/sealed.c")
				return 0
			if (file == "egp/egp_seal.c" && header == "gnutls/crypto.h") # ciphers alone, for a program that may not link crypto/
				return 0
			return header ~ /^(sys\/(socket|epoll|un|time|timerfd|stat)|netinet\/.*|arpa\/.*|netdb|poll|fcntl|unistd|time|syslog|pthread|sqlite3|gnutls\/.*|curl\/.*|microhttpd)\.h$/
		}
		function violation(rule, file, header) {
			print rule " src/" file ": " header
			bad = 1
		}
		# Follows the headers of a file that the gateway is made of; each once.
		function follow(file, root, i, n, next_ones) {
			if ((root, file) in seen)
				return
			seen[root, file] = 1
			n = split(includes[file], next_ones, " ")
			for (i = 1; i <= n; i++) {
				if (next_ones[i] ~ /^(keys|crypto|zigbee\/security|zwave)\//)
					violation("blind", root, next_ones[i])
				follow(next_ones[i], root)
			}
		}
		BEGIN {
			n = split(order, o, " ")
			for (i = 1; i <= n; i++)
				place[o[i]] = i
			n = split(allowed, a, " ")
			for (i = 1; i <= n; i++)
				may[substr(a[i], 5)] = 1
		}
		$1 == "there" {
			sub(/^there [^\/]*\//, "")
			there[$0] = 1
			next
		}
		{
			file = $0
			sub(/^src\//, "", file)
			sub(/:.*/, "", file)
			header = $0
			sub(/^[^<"]*[<"]/, "", header)
			sub(/[>"].*/, "", header)
			own = folder(file)
			known[file] = 1
			if ($0 !~ /include *"/) {
				if (is_core(file, own) && is_outside(file, header))
					violation("core", file, "<" header ">")
				next
			}
			includes[file] = includes[file] " " header
			wanted[header] = file
			if (header == "keys/secret_octets.h" && own !~ /^(keys|crypto|zigbee\/security|zwave\/security)$/) {
				if (file in may)
					used[file] = 1
				else
					violation("octets", file, header)
			}
			if (is_core(file, own) && header ~ /^loop\//)
				violation("core", file, header)
			if (place[folder(header)] > place[own])
				violation("arrow", file, header)
		}
		END {
			for (file in may)
				if (!(file in used))
					violation("stale", file, "keys/secret_octets.h")
			for (file in known)
				if (file ~ /^(gateway|programs\/keyway-gateway)\//)
					follow(file, file)
			for (header in wanted)
				if (!(header in there))
					violation("missing", wanted[header], header)
			exit bad
		}'
	)
}

root=$1
if [ "${2-}" = --bite ]; then
	copy=$(mktemp -d)
	trap 'rm -rf "$copy"' EXIT
	mkdir -p "$copy/tree/tests/unit"
	cp -R "$root/src" "$root/include" "$root/meson.build" "$copy/tree"
	cp "$root/tests/unit/secret_octets.allow" "$copy/tree/tests/unit"
	bites() { # file, line to add, what must be found
		cp "$copy/tree/$1" "$copy/whole"
		printf '%s\n' "$2" >>"$copy/tree/$1"
		if found=$(check "$copy/tree"); then
			echo "not noticed: $1: $2"
			exit 1
		fi
		if ! printf '%s\n' "$found" | grep -qxF "$3"; then
			printf 'instead of "%s" found:\n%s\n' "$3" "$found"
			exit 1
		fi
		cp "$copy/whole" "$copy/tree/$1"
	}
	bites src/mef/mef.c '#include "keys/secret_octets.h"' 'octets src/mef/mef.c: keys/secret_octets.h'
	bites tests/unit/secret_octets.allow "src/mef/mef.c	without a need" 'stale src/mef/mef.c: keys/secret_octets.h'
	bites src/zigbee/beacon.c '#include "loop/log.h"' 'core src/zigbee/beacon.c: loop/log.h'
	bites src/eg/eg.c '#include <sys/socket.h>' 'core src/eg/eg.c: <sys/socket.h>'
	bites src/gateway/coordinator.c '#include "loop/log.h"' 'core src/gateway/coordinator.c: loop/log.h'
	bites src/base/rd.c '#include "egp/egp.h"' 'arrow src/base/rd.c: egp/egp.h'
	bites src/zigbee/aps_frame.c '#include "zigbee/security/link_key.h"' 'arrow src/zigbee/aps_frame.c: zigbee/security/link_key.h'
	bites src/gateway/relay.c '#include "zigbee/security/nwk_security.h"' 'blind src/gateway/relay.c: zigbee/security/nwk_security.h'
	bites src/loop/stream.h '#include "keys/secret.h"' 'blind src/gateway/gateway.c: keys/secret.h'
	bites src/loop/log.h '#include "keys/sealed.h"' 'blind src/programs/keyway-gateway/main.c: keys/secret.h'
	bites src/egp/egp.c '#include "egp/nothing.h"' 'missing src/egp/egp.c: egp/nothing.h'
fi
check "$root"
