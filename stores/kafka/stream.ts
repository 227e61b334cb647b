import { CompressionTypes, type Kafka, type Producer } from 'kafkajs';
import type { StreamRecord, TickerStream } from '../../core/ingest/ports.ts';
import { BACKOFFS } from '../../core/runtime/budgets.ts';
import { retryUntilDeadline } from '../../core/runtime/retry.ts';
import { withinTime } from '../../core/runtime/wait.ts';
import { describeFailure, isFinalFailure } from './failures.ts';
import { rememberingPartitioner } from './partitioner.ts';
import { RenewableProducer } from './renewable-producer.ts';
import { wavesOf } from './waves.ts';

/** Kafka did not acknowledge everything in time; the rest stays in the lake's outbox. */
export class StreamUnavailableError extends Error {
  override readonly name = 'StreamUnavailableError';
}

/** The stream as a Kafka topic: acknowledged by all in-sync replicas, gzipped, in order within a key. */
export class KafkaStream implements TickerStream {
  readonly #topic: string;
  readonly #producer: RenewableProducer;
  /** The partition chosen for each record in its last attempt. */
  readonly #partitions = new WeakMap<object, number>();

  constructor(kafka: Kafka, topic: string) {
    this.#topic = topic;
    this.#producer = new RenewableProducer(() =>
      kafka.producer({
        allowAutoTopicCreation: false,
        createPartitioner: () => rememberingPartitioner(this.#partitions),
        // Between its own retries kafkajs loses records: https://github.com/tulios/kafkajs/issues/1303. It keeps each
        // broker's answer, so a broker that has acknowledged its partitions, and then takes over those of a broker
        // that failed, is not asked again, and `send` resolves.
        retry: { retries: 0 },
      }),
    );
  }

  async produce(records: readonly StreamRecord[], deadlineMs: number): Promise<void> {
    try {
      for (const requests of wavesOf(records)) await this.#deliver(requests, deadlineMs);
    } catch (cause) {
      throw new StreamUnavailableError(
        `Kafka topic "${this.#topic}" did not take the tickers: ${describeFailure(cause)} They are in the lake; the next poll produces them.`,
        { cause },
      );
    }
  }

  /** Sends the requests at once, and sends again what was not acknowledged, until everything is. */
  async #deliver(requests: StreamRecord[][], deadlineMs: number): Promise<void> {
    let waiting = requests;
    let lastFailure: unknown;
    const attempt = () =>
      this.#producer.use(async (producer) => {
        const outcomes = await Promise.allSettled(waiting.map((records) => this.#send(producer, records)));
        // A failed send does not say what it achieved. Repeats are harmless, because ids are computed.
        waiting = outcomes
          .map((outcome, i) => (outcome.status === 'fulfilled' ? outcome.value : (waiting[i] ?? [])))
          .filter((records) => records.length > 0);
        const failures = outcomes.flatMap((outcome) => ('reason' in outcome ? [outcome.reason] : []));
        if (failures.length > 0) throw failures.find(isFinalFailure) ?? failures[0];
        const missing = waiting.flat().length;
        if (missing > 0) throw new Error(`${missing} records were not acknowledged`);
      });
    const delivery = retryUntilDeadline(attempt, {
      deadlineMs,
      ...BACKOFFS.kafka,
      isRetryable: (error) => !isFinalFailure(error),
      onRetry: ({ error }) => {
        lastFailure = error;
      },
    });
    const late = () => {
      // The next poll does not wait for connections that hang.
      this.#producer.renew();
      return new Error('not acknowledged in time', { cause: lastFailure });
    };
    await withinTime(deadlineMs - Date.now(), delivery, late);
  }

  /** Returns the records whose partition did not acknowledge them. */
  async #send(producer: Producer, records: StreamRecord[]): Promise<StreamRecord[]> {
    const answers = await producer.send({
      topic: this.#topic,
      acks: -1,
      compression: CompressionTypes.GZIP,
      messages: records,
    });
    const acknowledged = new Set<number | undefined>(answers.map(({ partition }) => partition));
    return records.filter((record) => !acknowledged.has(this.#partitions.get(record)));
  }
}
