import { beforeAll, describe, expect, it } from 'vitest';
import { synthesise } from './synthesised.ts';

const SETUP_ROLE = 'arn:aws:iam::111122223333:role/setup';
const SECRET = 'SearchMasterCB1555CD-AbCdEfGhIjKl';
const SECRET_ARN = `arn:aws:secretsmanager:eu-west-1:111122223333:secret:${SECRET}-xYz123`;
const VALUES: Record<string, string> = {
  'AWS::Partition': 'aws',
  'AWS::Region': 'eu-west-1',
  'AWS::AccountId': '111122223333',
};

/** What CloudFormation makes of a value of the template. */
function resolve(value: unknown): string {
  if (typeof value === 'string') return value;
  const [[name, argument] = []] = Object.entries(value as object);
  switch (name) {
    case 'Ref':
      return VALUES[argument] as string;
    case 'Fn::GetAtt':
      return SETUP_ROLE;
    case 'Fn::ImportValue':
      return argument.includes('SearchMaster') ? SECRET_ARN : 'the-lake';
    case 'Fn::Join':
      return argument[1].map(resolve).join(argument[0]);
    case 'Fn::Select':
      return resolve(argument[1]['Fn::Split'][1]).split(argument[1]['Fn::Split'][0])[argument[0]] as string;
    default:
      throw new Error(`${name}?`);
  }
}

type Event = Record<string, unknown>;

/**
 * A filter pattern as CloudWatch reads it, for what ours are made of.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntaxForMetricFilters.html
 */
function matcherOf(pattern: string): (event: Event) => boolean {
  const code = pattern
    .slice(1, -1)
    .replace(/\$\.([\w.]+) NOT EXISTS/g, (_, path) => `at(${JSON.stringify(path)}) === undefined`)
    .replace(
      /\$\.([\w.]+) (!?=) "([^"]*)"/g,
      (_, path, operator, text) =>
        `compare(at(${JSON.stringify(path)}), '${operator}', ${JSON.stringify(text)})`,
    );
  const evaluate = new Function('at', 'compare', `return ${code}`);
  // A comparison with a field that is not there is false, whichever it is.
  const compare = (actual: unknown, operator: string, text: string) => {
    if (actual === undefined) return false;
    const isEqual = text.endsWith('*') ? String(actual).startsWith(text.slice(0, -1)) : actual === text;
    return operator === '=' ? isEqual : !isEqual;
  };
  return (event) => {
    const at = (path: string) =>
      path.split('.').reduce<unknown>((inside, key) => (inside as Event | undefined)?.[key], event);
    return evaluate(at, compare);
  };
}

describe('of the events in the account’s trail', () => {
  let isRead: (event: Event) => boolean;
  let isDeletion: (event: Event) => boolean;
  beforeAll(() => {
    const { stateless } = synthesise('dev', { alarms: { trailLogGroup: 'my-trail' } });
    const filters = Object.values(stateless.findResources('AWS::Logs::MetricFilter'));
    const matcher = (name: string) => {
      const filter = filters.find(
        ({ Properties }) => Properties.MetricTransformations[0].MetricName === name,
      );
      expect(filter?.Properties.LogGroupName).toBe('my-trail');
      return matcherOf(resolve(filter?.Properties.FilterPattern));
    };
    isRead = matcher('MasterSecretReads');
    isDeletion = matcher('LakeDeletions');
  });

  const read = (secretId: string, userIdentity: object) => ({
    eventSource: 'secretsmanager.amazonaws.com',
    eventName: 'GetSecretValue',
    requestParameters: { secretId },
    userIdentity,
  });
  const roleOf = (arn: string) => ({ type: 'AssumedRole', sessionContext: { sessionIssuer: { arn } } });
  const someone = roleOf('arn:aws:iam::111122223333:role/Admin');

  it.each([SECRET_ARN, SECRET, SECRET_ARN.slice(0, -7)])(
    'a read of the admin password counts by whatever name: %s',
    (secretId) => {
      expect(isRead(read(secretId, someone))).toBe(true);
      expect(isRead(read(secretId, { type: 'IAMUser' }))).toBe(true);
    },
  );

  it('the reads of setup and CloudFormation do not count, nor those of other secrets', () => {
    expect(isRead(read(SECRET_ARN, roleOf(SETUP_ROLE)))).toBe(false);
    expect(isRead(read(SECRET_ARN, { ...someone, invokedBy: 'cloudformation.amazonaws.com' }))).toBe(false);
    expect(isRead(read('SearchReader43BE4D3F-AbCdEfGhIjKl', someone))).toBe(false);
    expect(isRead({ ...read(SECRET_ARN, someone), eventName: 'DescribeSecret' })).toBe(false);
  });

  const deletion = (key: string | undefined, bucketName = 'the-lake') => ({
    eventSource: 's3.amazonaws.com',
    eventName: key === undefined ? 'DeleteObjects' : 'DeleteObject',
    requestParameters: { bucketName, ...(key === undefined ? {} : { key }) },
  });

  it('deletions of history count, one by one or in bulk, but not those that commands make', () => {
    expect(isDeletion(deletion('tickers/exchange=kraken/category=spot/1.ndjson.gz'))).toBe(true);
    expect(isDeletion(deletion('state/exchange=kraken/category=spot.json'))).toBe(true);
    expect(isDeletion(deletion(undefined))).toBe(true);
    expect(isDeletion(deletion('candles/exchange=kraken/1.json.gz'))).toBe(false);
    expect(isDeletion(deletion('dead-letters/1.ndjson.gz'))).toBe(false);
    expect(isDeletion(deletion('tickers/1.ndjson.gz', 'another'))).toBe(false);
  });
});
