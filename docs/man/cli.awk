# Makes the page hawser(1) of docs/CLI.md, so that there is one text to keep true.
# Usage: awk -v version=VERSION -f cli.awk docs/CLI.md
#
# Knows what that document uses: headings, paragraphs, tables, `code`. A table's first column becomes
# a tag. Of the others, "meaning" and a last column of two are the text, the rest follow by name, but
# for the unit's.

# Text for roff: backslashes and hyphens of options as they are, `code` in bold.
function inline(text,    out, i, part, parts)
{
    gsub(/\\\|/, "|", text)
    gsub(/\\/, "\\e", text)
    parts = split(text, part, "`")
    for (i = 1; i <= parts; i++) {
        if (i % 2 == 0) {
            gsub(/-/, "\\-", part[i])
            part[i] = "\\fB" part[i] "\\fR"
        }
        out = out part[i]
    }
    return out
}

# A line that begins with a dot or a quote would be a request.
function put_line(text)
{
    print (text ~ /^[.']/ ? "\\&" : "") text
}

# Short lines: more than 80 bytes are bad style.
function put(text,    line, i, words, word)
{
    words = split(text, word, " ")
    for (i = 1; i <= words; i++) {
        if (line != "" && length(line) + length(word[i]) >= 78) {
            put_line(line)
            line = ""
        }
        line = line (line == "" ? "" : " ") word[i]
    }
    put_line(line)
}

# Splits a row at its bars, but not at `\|`.
function cells(row, cell,    n, i)
{
    gsub(/\\\|/, "\001", row)
    sub(/^\| */, "", row)
    sub(/ *\|$/, "", row)
    n = split(row, cell, / *\| */)
    for (i = 1; i <= n; i++)
        gsub("\001", "|", cell[i])
    return n
}

function add(list, name, value)
{
    if (value == "")
        return list
    return list (list == "" ? "" : "; ") (name ~ /^unit/ ? "" : name ": ") inline(value)
}

function row(n,    i, text, rest)
{
    for (i = 2; i <= n; i++) {
        if (header[i] == "meaning" || n == 2)
            text = inline(cell[i])
        else
            rest = add(rest, header[i], cell[i])
    }
    print ".TP"
    put(inline(cell[1]))
    put(text == "" ? rest : rest == "" ? text : text " (" rest ")")
}

BEGIN {
    print ".\\\" Made of docs/CLI.md by docs/man/cli.awk."
    printf ".TH HAWSER 1 2026-11-21 \"hawser %s\" \"User Commands\"\n", version
    print ".SH NAME\nhawser \\- SCTP in user space: copy, echo, ping, capture, diagnose"
    print ".SH SYNOPSIS"
    print ".B hawser\n.I command\n.RI [ option ...]\n.RI [ operand ...]"
    print ".SH COMMANDS"
}

/^# / { next }

/^## / {
    in_table = paragraph = new_paragraph = 0
    print ".SH " toupper(inline(substr($0, 4)))
    next
}

/^\|[- |]*$/ { next }

/^\|/ {
    if (in_table)
        row(cells($0, cell))
    else
        cells($0, header)
    in_table = paragraph = 1
    next
}

/^$/ {
    in_table = 0
    new_paragraph = paragraph
    next
}

{
    if (new_paragraph)
        print ".PP"
    new_paragraph = 0
    paragraph = 1
    put(inline($0))
}

END {
    print ".SH SEE ALSO\n.BR hawser (7)"
}
