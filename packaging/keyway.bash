# Completion of keyway and keyway-sim for bash. The words come from --help, so that they are those of the program that is installed.
_keyway()
{
	local current=${COMP_WORDS[COMP_CWORD]} words program=${COMP_WORDS[0]} command=${COMP_WORDS[1]}

	COMPREPLY=()
	if [ "$COMP_CWORD" -eq 1 ]; then
		words=$("$program" --help 2>/dev/null | sed -n 's/^  \([a-z]*\) .*/\1/p')
	elif [[ $current == -* ]]; then
		words=$("$program" "$command" --help 2>/dev/null | grep -o -- '--[a-z][a-z-]*' | sort -u)
	elif [ "$COMP_CWORD" -eq 2 ]; then
		words=$("$program" "$command" --help 2>/dev/null | sed -n "/^\$/q; s/^[a-z ]*: *//; s/^ *//; s/^$program $command \([a-z]*\).*/\1/p; s/.*| \([a-z]*\).*/\1/p")
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
	[ ${#COMPREPLY[@]} -gt 0 ] || mapfile -t COMPREPLY < <(compgen -f -- "$current")
}
complete -F _keyway keyway keyway-sim
