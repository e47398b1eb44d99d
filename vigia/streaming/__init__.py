"""How the stream runs: record batches from Kafka through lanes and steps into the stores and the outbox."""
