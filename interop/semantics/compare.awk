# Compares what two programs of the same source said, line by line, "CASE: STEP: ANSWER".
# Usage: awk -f compare.awk [-v some=1] file=1 explained file=2 KERNEL file=3 HAWSER
# With `some` only some cases were asked, and explanations of others are not missed.
# Exit code: 0 when every line that differs is explained, and every explanation is still needed.
#
# explained has a paragraph for each reason: the reason in lines that begin with "# ", then the
# differences it explains, "CASE: STEP | what the kernel answers | what hawser answers". A * stands
# for any text. A step that a side never came to has the answer "not said". An answer "~ WORDS" on
# both sides explains answers that are equal but for these words: the kernel's become hawser's.

function pattern(glob)
{
    gsub(/[][\\.^$(){}?+|]/, "\\\\&", glob)
    gsub(/[*]/, ".*", glob)
    return "^" glob "$"
}

function wrong(text)
{
    print text
    failed = 1
}

function read_explained(    part)
{
    if ($0 == "") {
        reason = 0
    } else if (/^# /) {
        reason = 1
    } else if (split($0, part, " [|] ") != 3) {
        wrong("explained, line " FNR ": not of three parts: " $0)
    } else if (!reason) {
        wrong("explained, line " FNR ": no reason: " $0)
    } else {
        entry[++entries] = $0
        key_is[entries] = pattern(part[1])
        kernel_says[entries] = part[2]
        hawser_says[entries] = part[3]
    }
}

# The end of "CASE: STEP" in the line.
function split_line(line,    first, second)
{
    first = index(line, ": ")
    second = index(substr(line, first + 2), ": ")
    return first == 0 || second == 0 ? 0 : first + second
}

function read_answer(side,    end, key)
{
    end = split_line($0)
    if (end == 0) {
        wrong(side " says something else: " $0)
        return
    }
    key = substr($0, 1, end)
    if ((side, key) in said)
        wrong(side " says it twice: " key)
    said[side, key] = substr($0, end + 3)
    if (!(key in seen))
        order[++keys] = key
    seen[key] = 1
}

# Usage: equal_but("~ a b", "~ c d", KERNEL, HAWSER): whether a for c and b for d is all that differs
function equal_but(from, to, kernel, hawser,    a, b, i, j, count, word, other)
{
    count = split(from, word, " ")
    if (split(to, other, " ") != count || split(kernel, a, " ") != split(hawser, b, " "))
        return 0
    for (i in a) {
        for (j = 2; a[i] != b[i] && j <= count; j++)
            if (a[i] == word[j] && b[i] == other[j])
                a[i] = b[i]
        if (a[i] != b[i])
            return 0
    }
    return 1
}

function answers_explained(i, kernel, hawser)
{
    if (kernel_says[i] ~ /^~ /)
        return equal_but(kernel_says[i], hawser_says[i], kernel, hawser)
    return kernel ~ pattern(kernel_says[i]) && hawser ~ pattern(hawser_says[i])
}

function explained(key, kernel, hawser,    i)
{
    for (i = 1; i <= entries; i++) {
        if (key ~ key_is[i] && answers_explained(i, kernel, hawser)) {
            used[i] = 1
            return 1
        }
    }
    return 0
}

function compare(key,    kernel, hawser)
{
    kernel = ("kernel", key) in said ? said["kernel", key] : "not said"
    hawser = ("hawser", key) in said ? said["hawser", key] : "not said"
    if (kernel == hawser)
        return
    differ++
    if (explained(key, kernel, hawser))
        known++
    else
        wrong(key "\n    kernel  " kernel "\n    hawser  " hawser)
}

file == 1 { read_explained() }
file == 2 { read_answer("kernel") }
file == 3 { read_answer("hawser") }

END {
    for (i = 1; i <= keys; i++)
        compare(order[i])
    for (i = 1; i <= entries; i++)
        if (!(i in used) && !some)
            wrong("explained, and does not differ any more: " entry[i])
    printf "%d steps, %d differ, %d of them explained\n", keys, differ, known
    if (keys == 0)
        wrong("nobody said anything")
    exit failed
}
