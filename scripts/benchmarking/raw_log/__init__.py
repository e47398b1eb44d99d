"""The raw log beside other ways of writing to the same Cassandra node."""
