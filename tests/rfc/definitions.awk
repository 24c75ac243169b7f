# Prints FILE:NAME for each function, function-like macro and table that the C files define, and
# "case PROGRAM:NAME" for each test of a cmocka program.
# A definition's head begins in the first column; its body's brace stands there alone.
FNR == 1 { head = "" }

/^#define [A-Za-z_0-9]+\(/ {
    name = $2
    sub(/\(.*/, "", name)
    print FILENAME ":" name
}

/^[A-Za-z_].*\(/ {
    head = $0
    sub(/\(.*/, "", head)
    sub(/.*[ *]/, "", head)
    is_case = $0 ~ /^static void [a-z_0-9A-Z]+\(void \*\*/
}

/^[A-Za-z_][^(]*\[[^(]*\] = \{/ {
    name = $0
    sub(/\[.*/, "", name)
    sub(/.*[ *]/, "", name)
    print FILENAME ":" name
}

/;$/ { head = "" }

/^\{$/ && head != "" {
    print FILENAME ":" head
    if (is_case && match(FILENAME, /test_[^\/]*\.c$/))
        print "case " substr(FILENAME, RSTART + 5, RLENGTH - 7) ":" head
    head = ""
}
