# Prints one line per MUST, MUST NOT, SHOULD and SHOULD NOT of sections 3 to 11 of RFC 9260's text:
# id (section/number of the keyword in the section), keyword, sentence; separated by tabs.
function flush_section(    text, count, i, sentences, rest, keyword) {
    text = body
    body = ""
    gsub(/[ \t]+/, " ", text)
    gsub(/\. +/, ".\001", text) # a sentence ends at a period, or where its paragraph does
    gsub(/\002+/, "\001", text)
    count = split(text, sentences, /\001/)
    for (i = 1; i <= count; i++) {
        rest = sentences[i]
        while (match(rest, /(^|[^A-Za-z])(MUST NOT|SHOULD NOT|MUST|SHOULD)([^A-Za-z]|$)/)) {
            keyword = substr(rest, RSTART, RLENGTH)
            gsub(/[^A-Z ]/, "", keyword)
            gsub(/^ +| +$/, "", keyword)
            printf "%s/%d\t%s\t%s\n", section, ++number, keyword, sentences[i]
            rest = substr(rest, RSTART + RLENGTH - 1)
        }
    }
}

/^[0-9]+(\.[0-9]+)*\.  / {
    flush_section()
    section = $1
    sub(/\.$/, "", section)
    number = 0
    split(section, part, ".")
    if (in_contents || part[1] < 3 || part[1] > 11)
        section = ""
}
/^Table of Contents/ { in_contents = 1 }
/^1\.  Introduction/ { in_contents = 0 }
section != "" && !in_contents { body = body ($0 == "" ? "\002" : " " $0) }
END { flush_section() }
