import type { Producer } from 'kafkajs';

/** A producer, connected once, and how much work is using it. */
interface Connected {
  producer: Producer;
  connecting: Promise<void>;
  users: number;
}

/**
 * A producer that is replaced after a failure. kafkajs does not ask for the leaders again after every failure (never
 * after a timeout), and may go on with a broken connection; a new producer learns the cluster's state from any broker.
 */
export class RenewableProducer {
  readonly #create: () => Producer;
  #current: Connected | undefined;

  constructor(create: () => Producer) {
    this.#create = create;
  }

  /**
   * Does some work, possibly concurrently with other work. If it fails, work that begins later gets a new
   * producer.
   */
  async use<T>(work: (producer: Producer) => Promise<T>): Promise<T> {
    this.#current ??= this.#connect();
    const connected = this.#current;
    connected.users += 1;
    try {
      await connected.connecting;
      return await work(connected.producer);
    } catch (error) {
      if (this.#current === connected) this.#current = undefined;
      throw error;
    } finally {
      connected.users -= 1;
      if (this.#current !== connected) closeUnused(connected);
    }
  }

  /** Work that begins later gets a new producer. */
  renew(): void {
    const connected = this.#current;
    this.#current = undefined;
    if (connected) closeUnused(connected);
  }

  #connect(): Connected {
    const producer = this.#create();
    return { producer, connecting: producer.connect(), users: 0 };
  }
}

/** A send that still runs would open the connections again. */
function closeUnused({ producer, users }: Connected): void {
  if (users === 0) producer.disconnect().catch(() => undefined);
}
