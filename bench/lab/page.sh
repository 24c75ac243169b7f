# shellcheck shell=bash
#
# One HTML page of results: text, tables and pictures, all in the one file. To be sourced.
#
#   page_begin TITLE           page_end               to stdout, as are
#   page_heading TEXT          page_text < HTML
#   page_table HEADING.. < lines of cells, separated by tabs
#   page_picture NAME CAPTION < commands for gnuplot; files named in them are in PAGE_DIR
#
#   page_pick FILE ITEM NAME WAY METRIC    of a CSV file of `hawser sim`: the sweep's values, the mean
#                                          and half its confidence interval, separated by tabs
#
# PAGE_DIR is a folder for what the pictures are made of.

page_begin()
{
    cat <<END
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>$1</title>
<style>
body { font-family: sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em; line-height: 1.4; }
table { border-collapse: collapse; margin: 1em 0; }
th, td { border: 1px solid #bbb; padding: 0.2em 0.7em; text-align: right; }
th { background: #eee; }
figure { margin: 1em 0; }
figcaption { color: #444; }
svg { max-width: 100%; height: auto; }
</style>
</head>
<body>
<h1>$1</h1>
END
}

page_end()
{
    printf '</body>\n</html>\n'
}

page_heading()
{
    printf '<h2>%s</h2>\n' "$1"
}

page_text()
{
    printf '<p>'
    cat
    printf '</p>\n'
}

page_table()
{
    printf '<table>\n<tr>'
    printf '<th>%s</th>' "$@"
    printf '</tr>\n'
    awk -F'\t' '{
        printf "<tr>"
        for (i = 1; i <= NF; i++)
            printf "<td>%s</td>", $i
        print "</tr>"
    }'
    printf '</table>\n'
}

# What stands before <svg> is for files of their own. gnuplot names what it draws: with the picture's
# name in front, names are one page's.
page_picture()
{
    local name=$1 caption=$2
    {
        cat <<END
set terminal svg size 860,420 dynamic name "$name" font "sans-serif,12" background "white"
set output "$name.svg"
set grid lc rgb "#dddddd"
set key outside right
END
        cat
    } >"$PAGE_DIR/$name.gnuplot"
    (cd "$PAGE_DIR" && gnuplot "$name.gnuplot")
    printf '<figure id="%s">\n' "$name"
    sed -n '/<svg/,$p' "$PAGE_DIR/$name.svg"
    printf '<figcaption>%s</figcaption>\n</figure>\n' "$caption"
}

page_pick()
{
    awk -F, -v item="$2" -v name="$3" -v way="$4" -v metric="$5" '
        NR == 1 {
            for (i = 1; i <= NF; i++)
                column[$i] = i
            next
        }
        $column["item"] == item && $column["name"] == name && $column["way"] == way &&
            $column["stream"] == "" && $column["metric"] == metric {
            for (i = 1; i < column["item"]; i++)
                printf "%s\t", $i
            printf "%s\t%s\n", $column["mean"], $column["ci95"]
        }' "$1"
}
