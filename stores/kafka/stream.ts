import { CompressionTypes, type ICustomPartitioner, type Kafka, Partitioners, type Producer } from 'kafkajs';
import type { StreamRecord, TickerStream } from '../../core/ingest/ports.ts';

/** A broker takes 1 MiB a record batch by default; we stay below it even if nothing compresses. */
const MAX_REQUEST_BYTES = 900_000;
const REQUESTS_AT_ONCE = 4;

/** The topic could not be written in time; what was not acknowledged stays in the lake's outbox. */
export class StreamUnavailableError extends Error {
  override readonly name = 'StreamUnavailableError';
}

/** The stream in a Kafka topic: acks from all in-sync replicas, gzip, order kept within a key. */
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
    for (const requests of wavesOf(records)) {
      await this.#before(deadlineMs, Promise.all(requests.map((messages) => this.#send(messages))));
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

  async #before<T>(deadlineMs: number, work: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const inMs = Math.max(0, deadlineMs - Date.now());
      timer = setTimeout(() => reject(new Error('not acknowledged in time')), inMs);
    });
    try {
      return await Promise.race([work, late]);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new StreamUnavailableError(
        `Kafka topic "${this.#topic}" did not take the tickers: ${why}. They are in the lake; the next poll produces them.`,
        { cause },
      );
    } finally {
      clearTimeout(timer);
      work.catch(() => undefined); // its failure after the deadline has nobody to tell
    }
  }
}

/**
 * Kafka's own partitioner, asked once for each key: every poll has the same keys, and hashing them takes kafkajs longer
 * than all else that it does with them.
 */
const rememberingPartitioner: ICustomPartitioner = () => {
  const partitionOf = Partitioners.DefaultPartitioner();
  const known = new Map<string, number>();
  let partitions = 0;
  return (record) => {
    const key = record.message.key as string;
    // A topic that got more partitions spreads its keys anew.
    if (record.partitionMetadata.length !== partitions) known.clear();
    partitions = record.partitionMetadata.length;
    const partition = known.get(key) ?? partitionOf(record);
    known.set(key, partition);
    return partition;
  };
};

/**
 * Records as requests, and these in waves: those of one wave are sent at once, so a key is in one request of it only,
 * which keeps the order within the key.
 */
function* wavesOf(records: readonly StreamRecord[]): Generator<StreamRecord[][]> {
  let wave: StreamRecord[][] = [];
  /** The keys of the wave, each with its request. */
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
