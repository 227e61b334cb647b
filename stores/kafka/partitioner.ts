import { type ICustomPartitioner, Partitioners } from 'kafkajs';

/**
 * Kafka's own partitioner, called once for each key: every poll has the same keys, and hashing them takes kafkajs longer
 * than everything else it does with them.
 * @param chosen filled with the partition of each message
 */
export function rememberingPartitioner(chosen: WeakMap<object, number>): ReturnType<ICustomPartitioner> {
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
    chosen.set(record.message, partition);
    return partition;
  };
}
