# Tries the harness itself. From outside: WRONG, whether a check shall fail. Question: echo
. /host/checks.sh

asks() { expect answer "$(ask echo a b)" "a-b"; }
wrong() { false; true; }

check "a question is answered" asks
[ "$WRONG" = no ] || check "a failing command fails the check" wrong
finish
