/** What to do about an error from Kafka, and whether retrying is pointless until that is done. */
interface Remedy {
  advice: string;
  isFinal: boolean;
}

const ALLOW_WRITE: Remedy = {
  advice:
    'Allow the function to write to the topic (kafka-cluster:Connect, DescribeTopic and WriteData in its IAM policy).',
  isFinal: true,
};
const TAKE_LARGER_BATCHES: Remedy = {
  advice: 'Set max.message.bytes of the topic to 1048588, its default, or more.',
  isFinal: true,
};
const BRING_REPLICAS_BACK: Remedy = {
  advice: 'Bring the missing brokers back, or wait until they have caught up.',
  isFinal: false,
};

/** By Kafka's error code. Everything else is retried and needs no advice. */
const REMEDIES: Record<string, Remedy> = {
  TOPIC_AUTHORIZATION_FAILED: ALLOW_WRITE,
  CLUSTER_AUTHORIZATION_FAILED: ALLOW_WRITE,
  MESSAGE_TOO_LARGE: TAKE_LARGER_BATCHES,
  RECORD_LIST_TOO_LARGE: TAKE_LARGER_BATCHES,
  INVALID_TOPIC_EXCEPTION: { advice: 'Correct KAFKA_TOPIC.', isFinal: true },
  // Transient shortly after partitions were added, or while a topic is being created.
  UNKNOWN_TOPIC_OR_PARTITION: { advice: 'Create the topic, or correct KAFKA_TOPIC.', isFinal: false },
  NOT_ENOUGH_REPLICAS: BRING_REPLICAS_BACK,
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: BRING_REPLICAS_BACK,
};

/** Whether the same records would fail again. */
export function isFinalFailure(error: unknown): boolean {
  return remedyFor(error)?.isFinal ?? false;
}

/** What went wrong, and what to do if there is something to do: one or more sentences. */
export function describeFailure(error: unknown): string {
  const reasons = causesOf(error).map((each) => (each instanceof Error ? each.message : String(each)));
  // kafkajs wraps an error in others with its message.
  const problem = [...new Set(reasons)].join(': ').replace(/\.$/, '');
  const { advice } = remedyFor(error) ?? {};
  return [`${problem}.`, ...(advice ? [advice] : [])].join(' ');
}

function remedyFor(error: unknown): Remedy | undefined {
  const types = causesOf(error).map((each) => (each as { type?: unknown }).type);
  return types.flatMap((type) => (typeof type === 'string' && REMEDIES[type]) || [])[0];
}

/** The error, its cause, and so on. */
function causesOf(error: unknown): unknown[] {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause === undefined || cause === error ? [error] : [error, ...causesOf(cause)];
}
