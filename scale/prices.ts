/*
 * On-demand list prices of us-east-1, without free tier, savings plans and taxes, looked up on PRICES_DATE in public
 * sources, because AWS's price list could not be queried. `page` is AWS's page with the price.
 */

export const PRICES_DATE = '2026-11-24';
export const PRICES_REGION = 'us-east-1';

/**
 * How the price was confirmed:
 * - `AWS documentation`: it is in AWS's documentation.
 * - `price list`: another project read it from AWS's Price List API and published it.
 * - `others`: several third-party pages agree.
 * - `no`: there is only one source, or sources differ.
 */
export type Confirmation = 'AWS documentation' | 'price list' | 'others' | 'no';

export interface Price {
  usd: number;
  /** The billed unit. */
  per: string;
  page: string;
  confirmed: Confirmation;
}

const MSK = 'https://aws.amazon.com/msk/pricing/';
const OPENSEARCH = 'https://aws.amazon.com/opensearch-service/pricing/';
const LAMBDA = 'https://aws.amazon.com/lambda/pricing/';
const VPC = 'https://aws.amazon.com/vpc/pricing/';
const S3 = 'https://aws.amazon.com/s3/pricing/';
const CLOUDWATCH = 'https://aws.amazon.com/cloudwatch/pricing/';

const price = (usd: number, per: string, page: string, confirmed: Confirmation): Price => ({
  usd,
  per,
  page,
  confirmed,
});

export const PRICES = {
  mskStorage: price(0.1, 'GB-month', MSK, 'price list'),
  openSearchGp3: price(0.122, 'GB-month', OPENSEARCH, 'others'),
  natHour: price(0.045, 'hour', VPC, 'price list'),
  natGb: price(0.045, 'GB', VPC, 'price list'),
  publicAddressHour: price(0.005, 'hour', VPC, 'others'),
  betweenZonesGb: price(
    0.02,
    'GB (0.01 out, 0.01 in)',
    'https://aws.amazon.com/ec2/pricing/on-demand/',
    'others',
  ),
  lambdaGbSecond: price(0.000_013_333_4, 'GB-second, arm64', LAMBDA, 'price list'),
  lambdaRequest: price(0.2e-6, 'request', LAMBDA, 'price list'),
  /** An event poller unit: 20 MB/s, 10 pollers. */
  eventPollerUnitHour: price(0.185, 'unit-hour', LAMBDA, 'AWS documentation'),
  scheduledCall: price(1e-6, 'call', 'https://aws.amazon.com/eventbridge/pricing/', 'others'),
  trace: price(5e-6, 'trace', 'https://aws.amazon.com/xray/pricing/', 'others'),
  s3Gb: price(0.023, 'GB-month', S3, 'price list'),
  s3PutOrList: price(0.005e-3, 'request', S3, 'price list'),
  s3Get: price(0.0004e-3, 'request', S3, 'price list'),
  /** For the first 10,000. */
  customMetric: price(0.3, 'metric-month', CLOUDWATCH, 'others'),
  alarmMetric: price(0.1, 'metric in an alarm, month', CLOUDWATCH, 'price list'),
  compositeAlarm: price(0.5, 'alarm-month', CLOUDWATCH, 'no'),
  /** The first three of an account are free. */
  dashboard: price(3, 'dashboard-month', CLOUDWATCH, 'others'),
  logGb: price(0.5, 'GB ingested', CLOUDWATCH, 'price list'),
  logStorageGb: price(0.03, 'GB-month', CLOUDWATCH, 'price list'),
  key: price(1, 'key-month', 'https://aws.amazon.com/kms/pricing/', 'price list'),
  secret: price(0.4, 'secret-month', 'https://aws.amazon.com/secrets-manager/pricing/', 'price list'),
  bastionHour: price(0.0042, 'hour of t4g.nano', 'https://aws.amazon.com/ec2/pricing/on-demand/', 'no'),
  ebsGp3: price(0.08, 'GB-month', 'https://aws.amazon.com/ebs/pricing/', 'others'),
} as const satisfies Record<string, Price>;

/** By broker type. */
export const BROKER_HOUR: Readonly<Record<string, Price>> = {
  'kafka.t3.small': price(0.0456, 'hour', MSK, 'price list'),
  'kafka.m5.large': price(0.21, 'hour', MSK, 'others'),
  'kafka.m7g.large': price(0.204, 'hour', MSK, 'no'),
  'kafka.m7g.xlarge': price(0.408, 'hour', MSK, 'no'),
  'kafka.m7g.2xlarge': price(0.816, 'hour', MSK, 'no'),
};

/** By node type. */
export const NODE_HOUR: Readonly<Record<string, Price>> = {
  't3.small.search': price(0.036, 'hour', OPENSEARCH, 'price list'),
  't3.medium.search': price(0.073, 'hour', OPENSEARCH, 'price list'),
  'm7g.medium.search': price(0.068, 'hour', OPENSEARCH, 'price list'),
  'm7g.large.search': price(0.135, 'hour', OPENSEARCH, 'price list'),
  'r7g.medium.search': price(0.089, 'hour', OPENSEARCH, 'price list'),
  'r7g.large.search': price(0.178, 'hour', OPENSEARCH, 'price list'),
  'r7g.xlarge.search': price(0.356, 'hour', OPENSEARCH, 'price list'),
  'r7g.2xlarge.search': price(0.711, 'hour', OPENSEARCH, 'price list'),
  'r7g.4xlarge.search': price(1.422, 'hour', OPENSEARCH, 'price list'),
};

/** There is no price for an instance type. */
export class UnknownPriceError extends Error {
  override readonly name = 'UnknownPriceError';
}

/** @throws UnknownPriceError that lists the known types */
export function priceOf(types: Readonly<Record<string, Price>>, type: string): Price {
  const found = types[type];
  if (!found) {
    throw new UnknownPriceError(
      `There is no price for ${type} in scale/prices.ts. Known types: ${Object.keys(types).join(', ')}.`,
    );
  }
  return found;
}
