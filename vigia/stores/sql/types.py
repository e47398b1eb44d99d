"""Column types that mean the same on MySQL, MariaDB and SQLite.

Migrations use them too, so a type here is never changed once it is released: add a new one.
"""

from sqlalchemy import BigInteger, Dialect, Double, Integer, LargeBinary, String, Text, TypeDecorator
from sqlalchemy.dialects import mysql
from sqlalchemy.types import TypeEngine

_MYSQL = ("mysql", "mariadb")

MAX_STATE_KEY = 640
"""Characters in a state's or timer's key: three names and what joins them, and it still fits an InnoDB key."""


def name(length: int = 200) -> TypeEngine[str]:
    """Text of bounded length that may be part of a key; compared by code point, as in SQLite."""
    return String(length)


def text() -> TypeEngine[str]:
    """Free text of up to 4,000 characters, or JSON of up to 64 KiB."""
    return Text()


def long_text() -> TypeEngine[str]:
    """Text without a practical limit, such as a traceback."""
    return Text().with_variant(mysql.MEDIUMTEXT(), *_MYSQL)


def body() -> TypeEngine[bytes]:
    """Bytes of up to 16 MiB: a plain BLOB ends at 65,535, one byte short of the largest dead letter."""
    return LargeBinary().with_variant(mysql.MEDIUMBLOB(), *_MYSQL)


def digest() -> TypeEngine[bytes]:
    """A hash of up to 32 bytes."""
    return LargeBinary(32).with_variant(mysql.VARBINARY(32), *_MYSQL)


def integer() -> TypeEngine[int]:
    """A 64-bit integer."""
    return BigInteger()


def small() -> TypeEngine[int]:
    """A 32-bit integer."""
    return Integer()


def real() -> TypeEngine[float]:
    """A binary64 float; comes back bit for bit (but SQLite returns -0.0 as 0.0)."""
    return Double()


class HexId(TypeDecorator[str]):
    """A derived id: 32 hexadecimal characters in Python, 16 bytes in the database."""

    impl = LargeBinary(16).with_variant(mysql.BINARY(16), *_MYSQL)
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:  # noqa: ARG002 - the base's form
        """To the database."""
        return None if value is None else bytes.fromhex(value)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """From the database."""
        return None if value is None else value.hex()
