import { CompressionTypes, type ICustomPartitioner, type Kafka, Partitioners, type Producer } from 'kafkajs';
import type { StreamRecord, TickerStream } from '../../core/ingest/ports.ts';
import { withinTime } from '../../core/runtime/wait.ts';

/** By default a broker takes record batches of 1 MiB; this stays below it even if nothing compresses. */
const MAX_REQUEST_BYTES = 900_000;
const REQUESTS_AT_ONCE = 4;

/** Kafka did not acknowledge everything in time; the rest stays in the lake's outbox. */
export class StreamUnavailableError extends Error {
  override readonly name = 'StreamUnavailableError';
}

/** The stream as a Kafka topic: acknowledged by all in-sync replicas, gzipped, in order within a key. */
export class KafkaStream implements TickerStream {
  readonly #topic: string;
  readonly #producer: Producer;
  #connected: Promise<void> | undefined;

  constructor(kafka: Kafka, topic: string) {
    this.#topic = topic;
    this.#producer = kafka.producer({
      allowAutoTopicCreation: false,
      createPartitioner: rememberingPartitioner,
    });
  }

  async produce(records: readonly StreamRecord[], deadlineMs: number): Promise<void> {
    const late = () => new Error('not acknowledged in time');
    try {
      for (const requests of wavesOf(records)) {
        const sending = Promise.all(requests.map((messages) => this.#send(messages)));
        await withinTime(deadlineMs - Date.now(), sending, late);
      }
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new StreamUnavailableError(
        `Kafka topic "${this.#topic}" did not take the tickers: ${why}. They are in the lake; the next poll produces them.`,
        { cause },
      );
    }
  }

  async #send(messages: readonly StreamRecord[]): Promise<void> {
    this.#connected ??= this.#producer.connect();
    try {
      await this.#connected;
    } catch (error) {
      this.#connected = undefined;
      throw error;
    }
    await this.#producer.send({
      topic: this.#topic,
      acks: -1,
      compression: CompressionTypes.GZIP,
      messages: [...messages],
    });
  }
}

/**
 * Kafka's own partitioner, called once for each key: every poll has the same keys, and hashing them takes kafkajs longer
 * than everything else it does with them.
 */
const rememberingPartitioner: ICustomPartitioner = () => {
  const partitionOf = Partitioners.DefaultPartitioner();
  const known = new Map<string, number>();
  let partitions = 0;
  return (record) => {
    const key = record.message.key as string;
    // More partitions spread the keys differently.
    if (record.partitionMetadata.length !== partitions) known.clear();
    partitions = record.partitionMetadata.length;
    const partition = known.get(key) ?? partitionOf(record);
    known.set(key, partition);
    return partition;
  };
};

/**
 * Records as requests, in waves. The requests of a wave are sent at once, so a key is in only one of them, which keeps
 * the order within the key.
 */
function* wavesOf(records: readonly StreamRecord[]): Generator<StreamRecord[][]> {
  let wave: StreamRecord[][] = [];
  /** The request of each key in the wave. */
  let keys = new Map<string, StreamRecord[]>();
  let request: StreamRecord[] | undefined;
  let bytes = 0;
  for (const record of records) {
    const size = Buffer.byteLength(record.value) + record.key.length + 32;
    const isFull = request !== undefined && bytes + size > MAX_REQUEST_BYTES;
    const hasKey = keys.get(record.key);
    const isOver = isFull && wave.length === REQUESTS_AT_ONCE;
    if (isOver || (hasKey !== undefined && (isFull || hasKey !== request))) {
      yield wave;
      [wave, keys, request] = [[], new Map(), undefined];
    }
    if (request === undefined || isFull) {
      request = [];
      bytes = 0;
      wave.push(request);
    }
    request.push(record);
    bytes += size;
    keys.set(record.key, request);
  }
  if (wave.length > 0) yield wave;
}
