#!/usr/bin/env python3
"""Whether a picture of `hawser plot` marks every loss and retransmission that its qlog files tell.
Usage: plot_check.py SVG FILE..."""
import collections
import json
import sys
import xml.etree.ElementTree as tree

# gnuplot's point types, as it names them in SVG: a cross and a circle.
MARKS = {"gpPt1": "sctp:packet_lost", "gpPt5": "sctp:packet_retransmitted"}
HREF = "{http://www.w3.org/1999/xlink}href"


def marks_of(path):
    """Points of each kind; each curve has one more, in the key."""
    counts = collections.Counter()
    root = tree.parse(path).getroot()
    for group in root.iter("{http://www.w3.org/2000/svg}g"):
        if not group.get("id", "").startswith("gnuplot_plot_"):
            continue
        kinds = collections.Counter(
            use.get(HREF, "").lstrip("#") for use in group.iter("{http://www.w3.org/2000/svg}use"))
        for kind, count in kinds.items():
            counts[MARKS[kind]] += count - 1
    return counts


def events_of(path):
    with open(path, "rb") as file:
        records = file.read().split(b"\x1e")[2:]
    names = [json.loads(record)["name"] for record in records]
    return collections.Counter(name for name in names if name in MARKS.values())


def main():
    picture, *files = sys.argv[1:]
    drawn, told = marks_of(picture), collections.Counter()
    for path in files:
        told += events_of(path)
    print(f"drawn {dict(drawn)}, told {dict(told)}")
    sys.exit(0 if drawn == told and len(told) == len(MARKS) else 1)


if __name__ == "__main__":
    main()
