"""The summaries' database on SQLAlchemy Core: MySQL, MariaDB and SQLite through one implementation."""
