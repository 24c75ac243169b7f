# Reads, in this order: the lists of what exists ("case X", "test X", "script X" or FILE:NAME a
# line), the index (id, keyword, checksum), the sections whose rows are not all there, and RFC.md.
# Says what is wrong with RFC.md's rows; the exit code is 1 when something is.
# Variables: index_file, incomplete_file, page_file.
function wrong(what) {
    print "rfc: " what | "cat >&2"
    failed = 1
}

function trimmed(text) {
    gsub(/`/, "", text)
    gsub(/^ +| +$/, "", text)
    return text
}

function section_of(id) {
    sub(/\/.*/, "", id)
    return id
}

function check_where(id, where,    count, i, places, file, name) {
    count = split(where, places, ",")
    for (i = 1; i <= count; i++)
        if (!(trimmed(places[i]) in exists))
            wrong(id ": no function " trimmed(places[i]))
}

function check_tests(id, names,    count, i, tests) {
    count = split(names, tests, ",")
    for (i = 1; i <= count; i++)
        if (!(trimmed(tests[i]) in is_test))
            wrong(id ": no test " trimmed(tests[i]))
}

# "differs: D3", "differs: D3; TESTS", "applies to: WHO: why" or "TESTS".
function check_last(id, where, last,    deviation) {
    if (last ~ /^applies to:/) {
        if (last !~ /^applies to: [^:]+: ./)
            wrong(id ": to whom does it apply, and why not to us?")
        return
    }
    if (where == "")
        wrong(id ": names no function")
    if (last ~ /^differs:/) {
        deviation = last
        sub(/^differs: */, "", deviation)
        last = deviation
        sub(/[^A-Z0-9].*/, "", deviation)
        if (!(deviation in deviations))
            wrong(id ": no deviation " deviation)
        used[deviation] = 1
        if (last !~ /;/)
            return
        sub(/^[^;]*; */, "", last)
    }
    if (last == "")
        wrong(id ": names neither a test nor a reason")
    check_tests(id, last)
}

function check_row(id, keyword, words, where, last) {
    if (!(id in keyword_of)) {
        wrong(id ": no such requirement")
        return
    }
    if (id in has_row)
        wrong(id ": has two rows")
    has_row[id] = 1
    if (position[id] < last_position)
        wrong(id ": out of order")
    last_position = position[id]
    if (keyword != keyword_of[id])
        wrong(id ": the RFC says " keyword_of[id] ", the row " keyword)
    if (words == "")
        wrong(id ": does not say what is required")
    if (where != "")
        check_where(id, where)
    check_last(id, where, last)
}

FILENAME == index_file {
    keyword_of[$1] = $2 ($3 == "NOT" ? " NOT" : "")
    ids[++id_count] = $1
    position[$1] = id_count
    known_section[section_of($1)] = 1
    next
}

FILENAME == incomplete_file {
    if (!($1 in known_section))
        wrong("no section " $1 " (" incomplete_file ")")
    incomplete[$1] = 1
    incomplete_count++
    next
}

FILENAME == page_file && /^\| *D[0-9]+ *\|/ {
    split($0, cell, "|")
    if (trimmed(cell[2]) in deviations)
        wrong(trimmed(cell[2]) " is listed twice")
    deviations[trimmed(cell[2])] = 1
    deviation_count++
    next
}

FILENAME == page_file && /^\| *[0-9.]+\/[0-9]+ *\|/ {
    if (split($0, cell, "|") != 7)
        wrong(trimmed(cell[2]) ": not five columns")
    else
        check_row(trimmed(cell[2]), trimmed(cell[3]), trimmed(cell[4]), trimmed(cell[5]), trimmed(cell[6]))
    next
}

# What the other tables name has to exist as well.
FILENAME == page_file {
    count = /^\|/ ? split($0, part, "`") : 0
    for (i = 2; i <= count; i += 2)
        if ((part[i] ~ /^[a-z]+\/[a-z_0-9]+\.[ch]:/ && !(part[i] in exists)) ||
            (part[i] ~ /^[a-z_0-9]+:[a-z_0-9]+$/ && !(part[i] in is_test)))
            wrong("no such function or test: " part[i])
    next
}

$1 == "case" || $1 == "test" || $1 == "script" {
    is_test[$1 == "script" ? "script:" $2 : $2] = 1
    next
}

{ exists[$1] = 1 }

END {
    if (id_count == 0)
        wrong("the index is empty")
    for (i = 1; i <= id_count; i++)
        if (!(ids[i] in has_row) && !(section_of(ids[i]) in incomplete))
            wrong(ids[i] ": has no row")
    if (deviation_count >= 10)
        wrong(deviation_count " deviations; there may be nine")
    if (incomplete_count == 0)
        for (deviation in deviations)
            if (!(deviation in used))
                wrong("no row differs because of " deviation)
    close("cat >&2")
    rows = 0
    for (id in has_row)
        rows++
    printf "rfc: %d of %d requirements have a row; %d deviations\n", rows, id_count, deviation_count
    exit failed
}
