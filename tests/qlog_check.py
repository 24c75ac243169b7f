#!/usr/bin/env python3
"""Whether qlog files are what they should be: a JSON text sequence (RFC 7464) of one head and then
events, each valid by the schema, with times that never go back, and what was sent again lost before.
Usage: qlog_check.py SCHEMA FILE...
       qlog_check.py --spoil SCHEMA FILE    copies of the file with one thing wrong are refused, each"""
import collections
import copy
import json
import sys

import jsonschema


class Wrong(Exception):
    """What is wrong with a file."""


# ---- Checking ----

def split(text):
    parts = text.split(b"\x1e")
    if parts[0] != b"":
        raise Wrong("the file does not begin with a record separator")
    for number, part in enumerate(parts[1:]):
        if not part.endswith(b"\n"):
            raise Wrong(f"record {number} does not end with a newline")
        yield number, json.loads(part)


class Schema:
    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            self.schema = json.load(file)
        jsonschema.Draft202012Validator.check_schema(self.schema)
        self.head = self.part({"$ref": "#/$defs/head"})
        # One for each name: quicker than to try all of them, and it says what is wrong.
        self.events = {
            kind["properties"]["name"]["const"]: self.part(kind)
            for kind in self.schema["$defs"]["event"]["oneOf"]
        }

    def part(self, schema):
        return jsonschema.Draft202012Validator({"$defs": self.schema["$defs"], **schema})

    def check(self, number, record):
        name = record.get("name")
        if number > 0 and name not in self.events:
            raise Wrong(f"record {number}: no event is called {name!r}")
        validator = self.head if number == 0 else self.events[name]
        for error in validator.iter_errors(record):
            raise Wrong(f"record {number}: {error.message}")


class Story:
    def __init__(self):
        self.time = 0
        self.lost = set()

    def check(self, number, event):
        if event["time"] < self.time:
            raise Wrong(f"record {number}: time goes back")
        self.time = event["time"]
        chunk = (event.get("group_id"), event["data"].get("tsn"))
        if event["name"] == "sctp:packet_lost":
            self.lost.add(chunk)
        elif event["name"] == "sctp:packet_retransmitted":
            if chunk not in self.lost:
                raise Wrong(f"record {number}: TSN {chunk[1]} sent again, but never lost")
            self.lost.remove(chunk)


def check(schema, text):
    counts = collections.Counter()
    story = Story()
    for number, record in split(text):
        schema.check(number, record)
        if number > 0:
            story.check(number, record)
            counts[record["name"]] += 1
    if not counts:
        raise Wrong("no events")
    return counts


# ---- Spoiling ----

def first(records, name):
    return next(r for r in records if r.get("name") == name)


def first_chunk(records, kind):
    return next(c for r in records for c in r.get("data", {}).get("chunks", [])
                if c["chunk_type"] == kind)


def set_data(name, key, value):
    return lambda records: first(records, name)["data"].__setitem__(key, value)


SPOILED_RECORDS = {
    "head: other schema": lambda r: r[0].__setitem__("file_schema", "urn:other"),
    "head: missing": lambda r: r.pop(0),
    "event: unknown name": lambda r: r[1].__setitem__("name", "sctp:other"),
    "event: one more member": lambda r: r[1].__setitem__("other", 1),
    "event: time is text": lambda r: r[1].__setitem__("time", "1"),
    "event: time goes back": lambda r: r[-1].__setitem__("time", 0),
    "event: group": lambda r: r[1].__setitem__("group_id", "XYZ"),
    "DATA: TSN too large": lambda r: first_chunk(r, "DATA").__setitem__("tsn", 1 << 32),
    "SACK: gap of three": lambda r: first_chunk(r, "SACK").__setitem__("gaps", [[1, 2, 3]]),
    "SACK: no length": lambda r: first_chunk(r, "SACK").__delitem__("length"),
    "chunk: unknown name": lambda r: first_chunk(r, "SACK").__setitem__("chunk_type", "SAC"),
    "metrics: negative cwnd": set_data("sctp:metrics_updated", "congestion_window", -1),
    "metrics: none": lambda r: first(r, "sctp:metrics_updated").__setitem__("data", {"path": 0}),
    "path: number 9": set_data("sctp:path_state_updated", "path", 9),
    "association: unknown state": set_data("sctp:association_state_updated", "new", "OPEN"),
    "queue: no length": lambda r: first(r, "sctp:stream_queue_updated")["data"].__delitem__(
        "queued_bytes"),
    "lost: unknown trigger": set_data("sctp:packet_lost", "trigger", "because"),
    "dropped: unknown trigger": set_data("sctp:packet_dropped", "trigger", "because"),
    "retransmitted: never lost": lambda r: r.remove(first(r, "sctp:packet_lost")),
}
SPOILED_FRAMES = {
    "frame: no separator": lambda text: text[1:],
    "frame: no newline": lambda text: text[:-1],
    "frame: cut": lambda text: text[:-20],
}


def sample(records):
    """The head, one event of each name and with each chunk, and what is lost and sent again."""
    seen = set()
    for record in records:
        kinds = {record.get("name")}
        kinds |= {c["chunk_type"] for c in record.get("data", {}).get("chunks", [])}
        if kinds - seen or kinds & {"sctp:packet_lost", "sctp:packet_retransmitted"}:
            yield record
        seen |= kinds


def spoiled(text):
    records = list(sample([record for _, record in split(text)]))
    for name, spoil in SPOILED_RECORDS.items():
        copied = copy.deepcopy(records)
        spoil(copied)
        yield name, b"".join(b"\x1e" + json.dumps(r).encode() + b"\n" for r in copied)
    for name, spoil in SPOILED_FRAMES.items():
        yield name, spoil(text)


def check_spoiled(schema, text):
    accepted = 0
    for name, wrong in spoiled(text):
        try:
            check(schema, wrong)
            print(f"{name}: accepted")
            accepted += 1
        except (Wrong, json.JSONDecodeError) as error:
            print(f"{name}: refused: {error}")
    return accepted == 0


def read(path):
    with open(path, "rb") as file:
        return file.read()


def main():
    if sys.argv[1] == "--spoil":
        sys.exit(0 if check_spoiled(Schema(sys.argv[2]), read(sys.argv[3])) else 1)
    schema = Schema(sys.argv[1])
    for path in sys.argv[2:]:
        try:
            counts = check(schema, read(path))
        except (Wrong, json.JSONDecodeError) as error:
            sys.exit(f"{path}: {error}")
        print(path, " ".join(f"{name}={count}" for name, count in sorted(counts.items())))


if __name__ == "__main__":
    main()
