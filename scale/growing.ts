/** A number that grows with the sources: `fixed + perSource × sources`. */
export interface Linear {
  fixed: number;
  perSource: number;
}

export const at = ({ fixed, perSource }: Linear, sources: number) => fixed + perSource * sources;

/** The resources in a stage's templates that are limited or billed by number. */
export interface Inventory {
  /** In the stack with the most. */
  stackResources: Linear;
  /** In the stack with the most, together with those nested in it: one deployment touches them all. */
  deployedResources: Linear;
  /** Of the stack with the most. */
  outputs: Linear;
  /** Characters of the longest template. */
  templateSize: Linear;
  /** Metrics that alarms watch: an alarm with a formula is billed for each of its metrics. */
  alarmMetrics: Linear;
  compositeAlarms: Linear;
  dashboards: Linear;
  secrets: Linear;
  functions: Linear;
  roles: Linear;
  metricAlarms: Linear;
}
