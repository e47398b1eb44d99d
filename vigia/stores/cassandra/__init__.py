"""The raw log in Apache Cassandra 4.0 or later. Import it only where it is used: the driver takes a while to import."""
