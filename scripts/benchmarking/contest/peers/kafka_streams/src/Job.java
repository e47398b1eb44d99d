import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.Suppressed;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.state.Stores;
import org.apache.kafka.streams.state.WindowStore;

/** The job in Kafka Streams: a window a service with all its metrics, changelog on, closed windows sent once. */
public final class Job {
    private static final JsonFactory JSON = new JsonFactory();
    private static final Duration WINDOW = Duration.ofMinutes(1);
    private static final long WANTED = Long.parseLong(System.getenv("BENCH_SAMPLES"));
    private static final AtomicLong TAKEN = new AtomicLong();

    private record Sample(String metric, double at, double value) {}

    private static final class Figures {
        long count;
        double sum;
        double least = Double.POSITIVE_INFINITY;
        double largest = Double.NEGATIVE_INFINITY;

        void add(double value) {
            count++;
            sum += value;
            least = Math.min(least, value);
            largest = Math.max(largest, value);
        }
    }

    private static final class Window extends HashMap<String, Figures> {}

    public static void main(String[] arguments) throws InterruptedException {
        Properties settings = new Properties();
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, System.getenv("BENCH_OUT"));
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, System.getenv("BENCH_BOOTSTRAP"));
        settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
        settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 1000);
        settings.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
        settings.put(StreamsConfig.STATE_DIR_CONFIG, System.getenv("BENCH_STATE"));
        settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
        Serde<Sample> samples = Serdes.serdeFrom((topic, sample) -> new byte[0], (topic, bytes) -> decoded(bytes));
        Serde<Window> windows = Serdes.serdeFrom((topic, window) -> packed(window), (topic, bytes) -> unpacked(bytes));
        Materialized<String, Window, WindowStore<Bytes, byte[]>> store =
                arguments[0].equals("memory")
                        ? Materialized.as(Stores.inMemoryWindowStore("windows", Duration.ofMinutes(10), WINDOW, false))
                        : Materialized.as("windows");
        StreamsBuilder builder = new StreamsBuilder();
        builder.stream(
                        System.getenv("BENCH_TOPIC"),
                        Consumed.with(Serdes.String(), samples)
                                .withTimestampExtractor((record, before) -> (long) (((Sample) record.value()).at * 1000)))
                .groupByKey(Grouped.with(Serdes.String(), samples))
                .windowedBy(TimeWindows.ofSizeWithNoGrace(WINDOW))
                .aggregate(
                        Window::new,
                        (service, sample, window) -> {
                            window.computeIfAbsent(sample.metric, name -> new Figures()).add(sample.value);
                            count();
                            return window;
                        },
                        store.withKeySerde(Serdes.String()).withValueSerde(windows))
                .suppress(Suppressed.untilWindowCloses(Suppressed.BufferConfig.unbounded()))
                .toStream()
                .flatMap((key, window) -> rows(key.key(), key.window().start() / 1000, window))
                .to(System.getenv("BENCH_OUT"), Produced.with(Serdes.String(), Serdes.String()));
        KafkaStreams streams = new KafkaStreams(builder.build(), settings);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> streams.close(Duration.ofSeconds(5))));
        streams.start();
        Thread.currentThread().join();
    }

    private static void count() {
        long taken = TAKEN.incrementAndGet();
        if (taken == 1 || taken == WANTED) {
            System.out.printf("PROGRESS %.4f %d%n", System.currentTimeMillis() / 1000.0, taken);
        }
    }

    private static List<KeyValue<String, String>> rows(String service, long start, Window window) {
        List<KeyValue<String, String>> rows = new ArrayList<>();
        for (Map.Entry<String, Figures> one : window.entrySet()) {
            Figures figures = one.getValue();
            rows.add(KeyValue.pair(service, "{\"service\":\"" + service + "\",\"metric\":\"" + one.getKey()
                    + "\",\"start\":" + start + ",\"count\":" + figures.count + ",\"sum\":" + figures.sum + "}"));
        }
        return rows;
    }

    private static Sample decoded(byte[] bytes) {
        if (bytes == null) {
            return null;
        }
        try (JsonParser parser = JSON.createParser(bytes)) {
            String metric = null;
            double at = 0;
            double value = 0;
            parser.nextToken();
            while (parser.nextToken() != JsonToken.END_OBJECT) {
                String field = parser.currentName();
                parser.nextToken();
                switch (field) {
                    case "metric" -> metric = parser.getText();
                    case "ts" -> at = parser.getDoubleValue();
                    case "value" -> value = parser.getDoubleValue();
                    default -> parser.skipChildren();
                }
            }
            return new Sample(metric, at, value);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    private static byte[] packed(Window window) {
        if (window == null) {
            return null;
        }
        ByteBuffer buffer = ByteBuffer.allocate(64 * (window.size() + 1));
        for (Map.Entry<String, Figures> one : window.entrySet()) {
            byte[] name = one.getKey().getBytes(StandardCharsets.UTF_8);
            Figures figures = one.getValue();
            buffer.put((byte) name.length).put(name).putLong(figures.count).putDouble(figures.sum)
                    .putDouble(figures.least).putDouble(figures.largest);
        }
        byte[] bytes = new byte[buffer.position()];
        buffer.flip().get(bytes);
        return bytes;
    }

    private static Window unpacked(byte[] bytes) {
        if (bytes == null) {
            return null;
        }
        Window window = new Window();
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        while (buffer.hasRemaining()) {
            byte[] name = new byte[buffer.get()];
            buffer.get(name);
            Figures figures = new Figures();
            figures.count = buffer.getLong();
            figures.sum = buffer.getDouble();
            figures.least = buffer.getDouble();
            figures.largest = buffer.getDouble();
            window.put(new String(name, StandardCharsets.UTF_8), figures);
        }
        return window;
    }
}
