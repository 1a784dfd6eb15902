"""What generated requests leave alone, so that they say something."""

import sys

import schemathesis

# The generator describes its functions by parsing them, deep inside of itself, which Python 3.11 counts wrongly near its bound,
# and when two threads do (so run.sh has one).
sys.setrecursionlimit(20000)


def whole(value):
    """62.0 is a whole number to a schema; the API, like most programs, writes it 62."""
    if isinstance(value, dict):
        return {name: whole(member) for name, member in value.items()}
    if isinstance(value, list):
        return [whole(member) for member in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


@schemathesis.hook
def before_call(ctx, case, kwargs):
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    # A cursor is a text of ours, sealed: one that is made up is refused, whatever its form.
    query = case.query
    if isinstance(query, dict) and isinstance(query.get("cursor"), str):
        del query["cursor"]
    # The generator takes the quotes off its simplest ETag, and holds it for a right one.
    if case.headers and case.headers.get("If-Match") == "0":
        case.headers["If-Match"] = '"1"'
    if isinstance(case.body, (dict, list)):
        case.body = whole(case.body)

