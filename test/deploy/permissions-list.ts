/** Permissions that no recorded call made use of, and why a role has them. */
const LISTED: readonly { actions: RegExp; role?: RegExp; reason: string }[] = [
  { actions: /^ec2:/, reason: 'Lambda plugs the function into the VPC.' },
  { actions: /^logs:/, reason: 'Lambda writes the log of the function.' },
  { actions: /^xray:/, reason: 'Lambda sends traces.' },
  {
    actions: /^sqs:/,
    reason: 'Lambda sends an event that failed for good; CDK grants what any sender may need.',
  },
  { actions: /^lambda:InvokeFunction$/, reason: 'Scheduler calls the function, or CDK’s provider.' },
  {
    actions: /^lambda:GetFunction$/,
    reason: 'The provider of CDK waits for a function that sleeps.',
    role: /-SetupProvider/,
  },
  {
    actions: /^kafka:|^kafka-cluster:DescribeClusterDynamicConfiguration$/,
    reason: 'The pollers of Lambda look for the brokers and at their configuration.',
    role: /-Indexer/,
  },
  {
    actions: /^s3:PutObject$/,
    reason: 'Polls keep rejected tickers, changed listings and unreadable markers; the test has none.',
    role: /-Source/,
  },
  { actions: /^s3:ListBucket$/, reason: 'Lambda puts a batch that it gave up.', role: /-Indexer/ },
  { actions: /^s3:PutObject$/, reason: 'Lambda puts a batch that it gave up.', role: /-Indexer/ },
  {
    actions: /^kms:Decrypt$/,
    reason: 'S3 asks for it when an object comes in parts.',
    role: /-(Indexer|CandleFetcher)/,
  },
  {
    actions: /^s3:GetObject$/,
    reason: 'Compact reads recorded candles; when it runs in the test there are none.',
    role: /-Compactor/,
  },
  { actions: /./, reason: 'S3 copies objects in its name.', role: /-ReplicaRole/ },
  {
    actions: /./,
    reason: 'It asks exchanges through ccxt, of which the test has none.',
    role: /-CandleFetcher/,
  },
];

export function isListed({ role, action }: { role: string; action: string }): boolean {
  return LISTED.some((each) => each.actions.test(action) && (!each.role || each.role.test(role)));
}
