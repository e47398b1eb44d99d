"""The page that `python -m scripts.report` writes: what it reads, its pictures and tables, and its markup."""
