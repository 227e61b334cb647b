import { writeFileSync } from 'node:fs';
import { type Datapoint, parseEmf } from '../../local/pipeline/emitted-metrics.ts';
import type { Signatures } from './signatures/signatures.ts';

/** The local AWS endpoint refused a request; the message is its answer. */
export class EndpointError extends Error {
  override readonly name = 'EndpointError';
}

/** An alarm as CloudWatch describes it. */
export interface MetricAlarm {
  AlarmName: string;
  StateValue: 'OK' | 'ALARM' | 'INSUFFICIENT_DATA';
  Namespace: string;
  MetricName: string;
  Dimensions: { Name: string; Value: string }[];
  Period: number;
  EvaluationPeriods: number;
  DatapointsToAlarm?: number;
  ComparisonOperator: string;
  Threshold: number;
}

/** A message that an alarm sent to a topic. */
export interface Told {
  AlarmName: string;
  AlarmDescription: string;
  NewStateValue: string;
}

export type MetricId = Pick<Datapoint, 'namespace' | 'name' | 'dimensions'>;

/** How long a message may take from the alarm to the queue. */
const DELIVERY_MS = 10_000;

/**
 * CloudWatch, its logs, and the topics that alarms notify, at a local endpoint. It uses their raw protocols:
 * an SDK client for each would be a dependency for one test.
 */
export class AlarmWorld {
  readonly #endpoint: string;
  readonly #clockFile: string;
  readonly #signatures: Signatures;
  #aheadSeconds = 0;

  /** @param clockFile see ministack/alarms.py */
  constructor(endpoint: string, clockFile: string, signatures: Signatures) {
    this.#signatures = signatures;
    this.#endpoint = endpoint;
    this.#clockFile = clockFile;
  }

  /** Moves the alarms' clock forward. */
  letPass(seconds: number): void {
    this.#aheadSeconds += seconds;
    writeFileSync(this.#clockFile, String(this.#aheadSeconds));
  }

  /** Puts a value dated that many seconds ago, and has every alarm evaluated. */
  async put({ namespace, name, dimensions }: MetricId, value: number, secondsAgo = 0): Promise<void> {
    await this.#ask('monitoring', 'GraniteServiceVersion20100801.PutMetricData', {
      Namespace: namespace,
      MetricData: [
        {
          MetricName: name,
          Dimensions: Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value })),
          Value: value,
          Timestamp: Date.now() / 1_000 + this.#aheadSeconds - secondsAgo,
        },
      ],
    });
  }

  async metricAlarms(): Promise<MetricAlarm[]> {
    return (await this.#describe()).MetricAlarms;
  }

  async stateOf(alarmName: string): Promise<string | undefined> {
    const { MetricAlarms, CompositeAlarms } = await this.#describe();
    return [...MetricAlarms, ...CompositeAlarms].find(({ AlarmName }) => AlarmName === alarmName)?.StateValue;
  }

  #describe() {
    return this.#ask<{
      MetricAlarms: MetricAlarm[];
      CompositeAlarms: Pick<MetricAlarm, 'AlarmName' | 'StateValue'>[];
    }>('monitoring', 'GraniteServiceVersion20100801.DescribeAlarms', {
      AlarmTypes: ['MetricAlarm', 'CompositeAlarm'],
      MaxRecords: 100,
    });
  }

  /** What a function has emitted from a time (epoch ms) on, according to its log group. */
  async emittedBy(logGroupName: string, sinceMs = 0): Promise<Datapoint[]> {
    const { events } = await this.#ask<{ events: { message: string }[] }>(
      'logs',
      'Logs_20140328.FilterLogEvents',
      { logGroupName, startTime: sinceMs },
    );
    return events.flatMap(({ message }) => message.split('\n').flatMap(parseEmf));
  }

  /** Subscribes a new queue to a topic. */
  async listenTo(topicArn: string, name: string): Promise<Listener> {
    const Endpoint = `arn:aws:sqs:us-east-1:000000000000:${name}`;
    const sns = { Service: 'sns.amazonaws.com' };
    const letIn = { Effect: 'Allow', Principal: sns, Action: 'sqs:SendMessage', Resource: Endpoint };
    const { QueueUrl } = await this.#ask<{ QueueUrl: string }>('sqs', 'AmazonSQS.CreateQueue', {
      QueueName: name,
      Attributes: { Policy: JSON.stringify({ Version: '2012-10-17', Statement: [letIn] }) },
    });
    const form = new URLSearchParams({
      Action: 'Subscribe',
      Version: '2010-03-31',
      TopicArn: topicArn,
      Protocol: 'sqs',
      Endpoint,
    });
    await this.#send('sns', { 'content-type': 'application/x-www-form-urlencoded' }, form.toString());
    const receive = async (): Promise<Told[]> => {
      const { Messages = [] } = await this.#ask<{ Messages?: { Body: string; ReceiptHandle: string }[] }>(
        'sqs',
        'AmazonSQS.ReceiveMessage',
        { QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 },
      );
      for (const { ReceiptHandle } of Messages) {
        await this.#ask('sqs', 'AmazonSQS.DeleteMessage', { QueueUrl, ReceiptHandle });
      }
      return Messages.map(({ Body }) => JSON.parse(JSON.parse(Body).Message) as Told);
    };
    return new Listener(receive);
  }

  async #ask<Answer = unknown>(service: string, target: string, body: object): Promise<Answer> {
    const headers = { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': target };
    const text = await this.#send(service, headers, JSON.stringify(body));
    return (text ? JSON.parse(text) : {}) as Answer;
  }

  async #send(service: string, headers: Record<string, string>, body: string): Promise<string> {
    const response = await fetch(this.#endpoint, {
      method: 'POST',
      body,
      headers: await this.#signatures.sign(
        { method: 'POST', url: `${this.#endpoint}/`, headers, body },
        service,
        { accessKeyId: 'test', secretAccessKey: 'test' },
      ),
    });
    const text = await response.text();
    if (!response.ok) throw new EndpointError(`${service}: ${response.status} ${text}`);
    return text;
  }
}

/** Receives a topic's messages, in order. */
export class Listener {
  readonly #receive: () => Promise<Told[]>;
  readonly #heard: Told[] = [];

  constructor(receive: () => Promise<Told[]>) {
    this.#receive = receive;
  }

  /** The next message about an alarm's state; earlier messages are skipped. */
  async hear(alarmName: string, state: 'ALARM' | 'OK'): Promise<Told> {
    for (const endMs = Date.now() + DELIVERY_MS; ; ) {
      const position = this.#heard.findIndex(
        ({ AlarmName, NewStateValue }) => AlarmName === alarmName && NewStateValue === state,
      );
      const [told] = position < 0 ? [] : this.#heard.splice(position, 1);
      if (told) return told;
      if (Date.now() > endMs) throw new Error(`${alarmName} did not tell that it is ${state}`);
      this.#heard.push(...(await this.#receive()));
    }
  }

  /** Returns and discards all messages so far. */
  async drain(): Promise<Told[]> {
    for (let some = await this.#receive(); some.length > 0; some = await this.#receive())
      this.#heard.push(...some);
    return this.#heard.splice(0);
  }
}

/** A value that breaches an alarm's threshold, and one that does not. */
export function valuesFor({ ComparisonOperator, Threshold }: MetricAlarm): { bad: number; good: number } {
  const high = 2 * Threshold + 1;
  return ComparisonOperator.startsWith('Greater') ? { bad: high, good: 0 } : { bad: 0, good: high };
}

export function metricOf({ Namespace, MetricName, Dimensions }: MetricAlarm): MetricId {
  return {
    namespace: Namespace,
    name: MetricName,
    dimensions: Object.fromEntries(Dimensions.map(({ Name, Value }) => [Name, Value])),
  };
}

/** A metric by name and all of its dimensions, as one text. */
export function idOf({ namespace, name, dimensions }: MetricId): string {
  return `${namespace} ${name} ${JSON.stringify(Object.entries(dimensions).sort())}`;
}
