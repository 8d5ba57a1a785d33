"""ASN.1 DER, as much as certificates, CMS signatures and time stamps need. Strict: definite lengths only."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, OID = 0x01, 0x02, 0x03, 0x04, 0x06
UTF8, SEQUENCE, SET = 0x0C, 0x30, 0x31
UTC_TIME, GENERALIZED_TIME = 0x17, 0x18
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_GENERALIZED = re.compile(rb"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.(\d{1,6}))?Z\Z")
_UTC = re.compile(rb"(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z\Z")


class BadDer(Exception):
    """The bytes are not the expected DER."""


@dataclass(frozen=True)
class Node:
    """One element: its tag byte, all of its bytes, and its content."""

    tag: int
    raw: bytes
    content: bytes

    def children(self) -> list[Node]:
        """The elements inside; they fill the content to its last byte."""
        found: list[Node] = []
        at = 0
        while at < len(self.content):
            node = _node(self.content, at)
            found.append(node)
            at += len(node.raw)
        return found

    def expect(self, tag: int) -> Node:
        """This element, if it has that tag. Raises BadDer otherwise."""
        if self.tag != tag:
            raise BadDer(f"tag {self.tag:#x} instead of {tag:#x}")
        return self

    @property
    def oid(self) -> str:
        """An object identifier in dotted form."""
        content = self.expect(OID).content
        if not content or content[-1] & 0x80 or len(content) > 64:
            raise BadDer("a broken object identifier")
        values: list[int] = []
        value = 0
        for byte in content:
            value = value << 7 | byte & 0x7F
            if not byte & 0x80:
                values.append(value)
                value = 0
        first = min(values[0] // 40, 2)
        return ".".join(str(part) for part in (first, values[0] - 40 * first, *values[1:]))

    @property
    def integer(self) -> int:
        """An integer."""
        content = self.expect(INTEGER).content
        if not content:
            raise BadDer("an empty integer")
        return int.from_bytes(content, "big", signed=True)

    @property
    def instant(self) -> int:
        """UTCTime or GeneralizedTime in µs."""
        if self.tag == UTC_TIME:
            match = _UTC.match(self.content)
            if match is not None:
                year = int(match[1])
                return _instant(year + (1900 if year >= 50 else 2000), match, 2, 0)
        elif self.tag == GENERALIZED_TIME:
            match = _GENERALIZED.match(self.content)
            if match is not None:
                return _instant(int(match[1]), match, 2, int((match[7] or b"").ljust(6, b"0")))
        raise BadDer("a broken time")


def parse(data: bytes) -> Node:
    """The single element that ``data`` consists of."""
    node = _node(data, 0)
    if len(node.raw) != len(data):
        raise BadDer("bytes after the end")
    return node


def check_all(node: Node) -> None:
    """Check that every element at every depth is DER; a signature may not cover those that nothing reads."""
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if one.tag & 0x20:
            waiting += one.children()


def _node(data: bytes, at: int) -> Node:
    if at + 2 > len(data):
        raise BadDer("cut off")
    tag, length, body = data[at], data[at + 1], at + 2
    if tag & 0x1F == 0x1F:
        raise BadDer("a tag of several bytes")
    if not tag & 0xC0 and bool(tag & 0x20) != (tag & 0x1F in (0x10, 0x11)):
        raise BadDer("a constructed string, or a primitive sequence")
    if length & 0x80:
        count = length & 0x7F
        if not 1 <= count <= 4 or body + count > len(data):
            raise BadDer("an indefinite or impossible length")
        length = int.from_bytes(data[body : body + count], "big")
        if length < 0x80 or length >> 8 * (count - 1) == 0:
            raise BadDer("a length that is not minimal")
        body += count
    if body + length > len(data):
        raise BadDer("cut off")
    return Node(tag, data[at : body + length], data[body : body + length])


def _instant(year: int, match: re.Match[bytes], first: int, fraction: int) -> int:
    month, day, hour, minute, second = (int(match[number]) for number in range(first, first + 5))
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=timezone.utc)
    except ValueError as error:
        raise BadDer("no such time") from error
    return (moment - _EPOCH) // timedelta(microseconds=1) + fraction
