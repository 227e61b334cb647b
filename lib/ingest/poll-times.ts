import { createHash } from 'node:crypto';
import type { PolledSource } from '../config/stage-config.ts';

/** Hourly polls stay close to their hour. */
const MOST_MINUTES = 5;

type Polled = Pick<PolledSource, 'name' | 'samplingIntervalMinutes'>;

/**
 * When a source is polled, in UTC: at whole minutes of every hour (a rate would start at the moment of
 * deployment). Sources are spread over the minutes of their interval, so that a hundred functions do not
 * start, and connect to Kafka, all in one second. A slot is still the scheduled time.
 */
export function pollExpression(source: Polled): string {
  const { samplingIntervalMinutes: every } = source;
  const first = firstMinuteOf(source);
  return every === 60 ? `cron(${first} * * * ? *)` : `cron(${first}/${every} * * * ? *)`;
}

/** The first minute of the hour in which a source is polled. By its name, so that none moves when another comes or goes. */
export function firstMinuteOf({ name, samplingIntervalMinutes: every }: Polled): number {
  const hash = createHash('sha256').update(name).digest().readUInt32BE(0);
  return hash % Math.min(every, MOST_MINUTES);
}
