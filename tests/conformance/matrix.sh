#!/bin/sh
# Every check over every binding in every serialisation: about three minutes. Ends with status 0 only if nothing failed.
cd "$(dirname "$0")" || exit 2
status=0
for b in http coap ws mqtt; do
	for s in json xml cbor; do
		printf '%s %s: ' "$b" "$s"
		python3 run.py --binding $b --serialization $s "$@" >/tmp/conformance.$$ || { status=1; grep -E -A1 '^(fail|error) ' /tmp/conformance.$$; }
		tail -1 /tmp/conformance.$$
	done
done
rm -f /tmp/conformance.$$
exit $status
