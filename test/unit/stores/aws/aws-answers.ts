import type { IncomingMessage, ServerResponse } from 'node:http';
import { type LoopbackServer, send, serveOnLoopback } from '../../../../core/runtime/loopback-server.ts';

/** A refusal by AWS. */
export interface Refusal {
  status: number;
  code: string;
  message: string;
  /** Other members of the body. */
  more?: object;
}

/** What AWS answers to an operation: the body as the service writes it, XML or JSON, or a refusal. */
export type AwsAnswer = string | object | { refusal: Refusal };

/** By operation; a function is given the request's body. */
export type AwsAnswers = Record<string, AwsAnswer | ((body: string) => AwsAnswer)>;

/** REST operations, by method and path. */
const ROUTES: [RegExp, string][] = [
  [/^GET \/2016-08-19\/account-settings/, 'GetAccountSettings'],
  [/^GET \/v1\/kafka-versions/, 'ListKafkaVersions'],
  [/^POST \/v1\/clusters/, 'CreateCluster'],
  [/^GET \/2021-01-01\/opensearch\/versions/, 'ListVersions'],
  [/^GET \/2021-01-01\/opensearch\/instanceTypeDetails/, 'ListInstanceTypeDetails'],
];

/** An endpoint that answers the clients of all services as AWS does on the wire; `AWS_ENDPOINT_URL`. */
export class AwsServer {
  readonly asked: string[] = [];
  answers: AwsAnswers = {};
  #server: LoopbackServer | undefined;

  async start(): Promise<void> {
    this.#server = await serveOnLoopback((request, response) => void this.#answer(request, response), 0);
  }

  get url(): string {
    return (this.#server as LoopbackServer).url;
  }

  async stop(): Promise<void> {
    await this.#server?.close();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request) body += chunk;
    const operation = operationOf(request, body);
    this.asked.push(operation);
    const given = this.answers[operation] ?? {
      refusal: { status: 403, code: 'AccessDenied', message: `not allowed: ${operation}` },
    };
    const answer = typeof given === 'function' ? given(body) : given;
    if (typeof answer === 'string') return send(response, 200, 'text/xml', answer);
    if (!('refusal' in answer)) return send(response, 200, 'application/json', JSON.stringify(answer));
    const { status, code, message, more } = answer.refusal as Refusal;
    if (body.includes('Action=')) {
      const error = `<Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error>`;
      // EC2 wraps its errors once more.
      return send(
        response,
        status,
        'text/xml',
        operation.startsWith('Describe') && operation !== 'DescribeStacks'
          ? `<Response><Errors>${error}</Errors><RequestID>1</RequestID></Response>`
          : `<ErrorResponse>${error}<RequestId>1</RequestId></ErrorResponse>`,
      );
    }
    response.setHeader('x-amzn-errortype', code);
    send(response, status, 'application/json', JSON.stringify({ __type: code, message, ...more }));
  }
}

function operationOf({ method, url, headers }: IncomingMessage, body: string): string {
  const target = String(headers['x-amz-target'] ?? '').split('.')[1];
  const action = new URLSearchParams(body).get('Action');
  const route = ROUTES.find(([pattern]) => pattern.test(`${method} ${url}`));
  return target ?? action ?? route?.[1] ?? `${method} ${url}`;
}

const items = (tag: string, each: readonly Record<string, string>[]) =>
  `<${tag}>${each
    .map(
      (fields) =>
        `<item>${Object.entries(fields)
          .map(([name, value]) => `<${name}>${value}</${name}>`)
          .join('')}</item>`,
    )
    .join('')}</${tag}>`;

const ec2 = (operation: string, tag: string, each: readonly Record<string, string>[]) =>
  `<${operation}Response xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>1</requestId>${items(tag, each)}</${operation}Response>`;

const ZONES = ['a', 'b', 'c', 'd'].map((letter) => `us-east-1${letter}`);

const zonesAnswer = (ids: readonly string[]) =>
  ec2(
    'DescribeAvailabilityZones',
    'availabilityZoneInfo',
    ids.map((zoneId, n) => ({ zoneName: ZONES[n] ?? '', zoneId, zoneState: 'available' })),
  );

const stackAnswer = (name: string, outputs: string) =>
  `<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><DescribeStacksResult><Stacks><member><StackName>${name}</StackName><StackStatus>CREATE_COMPLETE</StackStatus><CreationTime>2026-01-01T00:00:00Z</CreationTime><Outputs>${outputs}</Outputs></member></Stacks></DescribeStacksResult></DescribeStacksResponse>`;

/** MSK looks at the broker type before it looks for the subnets. */
const createCluster = (refused: readonly string[]) => (body: string) => {
  const { brokerNodeGroupInfo } = JSON.parse(body) as { brokerNodeGroupInfo: { instanceType: string } };
  const unknown = [...refused, 'kafka.none.small'].includes(brokerNodeGroupInfo.instanceType);
  const invalidParameter = unknown ? 'instanceType' : 'clientSubnets';
  const message = unknown
    ? 'Unsupported InstanceType. Valid values: kafka.m5.large, kafka.m7g.large'
    : 'One or more subnets do not exist';
  return { refusal: { status: 400, code: 'BadRequestException', message, more: { invalidParameter } } };
};

/** The answers of an established account in us-east-1, in the documented shapes. */
export function establishedAccount(): AwsAnswers {
  return {
    GetCallerIdentity:
      '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Arn>arn:aws:iam::111122223333:user/someone</Arn><UserId>AIDA</UserId><Account>111122223333</Account></GetCallerIdentityResult></GetCallerIdentityResponse>',
    DescribeStacks: (body) =>
      body.includes('CDKToolkit')
        ? stackAnswer(
            'CDKToolkit',
            '<member><OutputKey>BootstrapVersion</OutputKey><OutputValue>30</OutputValue></member>',
          )
        : {
            refusal: { status: 400, code: 'ValidationError', message: 'Stack with id x does not exist' },
          },
    GetAccountSettings: {
      AccountLimit: { ConcurrentExecutions: 1_000, UnreservedConcurrentExecutions: 1_000 },
      AccountUsage: { FunctionCount: 0 },
    },
    DescribeAvailabilityZones: zonesAnswer(['use1-az4', 'use1-az6', 'use1-az1']),
    DescribeSubnets: ec2(
      'DescribeSubnets',
      'subnetSet',
      ZONES.slice(0, 3).map((availabilityZone, n) => ({ subnetId: `subnet-${n}`, availabilityZone })),
    ),
    DescribeVpcs: ec2('DescribeVpcs', 'vpcSet', [{ vpcId: 'vpc-1' }]),
    DescribeAddresses: ec2('DescribeAddresses', 'addressesSet', []),
    DescribeNatGateways: ec2('DescribeNatGateways', 'natGatewaySet', []),
    // Nobody ever raised it.
    GetServiceQuota: { refusal: { status: 400, code: 'NoSuchResourceException', message: 'none' } },
    GetAWSDefaultServiceQuota: { Quota: { Value: 5 } },
    ListKafkaVersions: {
      kafkaVersions: [
        { version: '3.6.0', status: 'DEPRECATED' },
        { version: '3.9.x.kraft', status: 'ACTIVE' },
      ],
    },
    CreateCluster: createCluster([]),
    ListVersions: { Versions: ['OpenSearch_3.5', 'OpenSearch_2.19'] },
    ListInstanceTypeDetails: {
      InstanceTypeDetails: [
        { InstanceType: 't3.medium.search', AvailabilityZones: ZONES },
        { InstanceType: 'r7g.large.search', AvailabilityZones: ZONES },
        { InstanceType: 'm7g.medium.search', AvailabilityZones: ZONES },
      ],
    },
    GetRole: { refusal: { status: 404, code: 'NoSuchEntity', message: 'The role cannot be found' } },
    DescribeResourcePolicies: { resourcePolicies: [{ policyName: 'theirs' }] },
  };
}

/** A new one: a quota of 10, a first zone that MSK refuses, and no small brokers. */
export function newAccount(): AwsAnswers {
  return {
    ...establishedAccount(),
    DescribeStacks: {
      refusal: { status: 400, code: 'ValidationError', message: 'Stack with id x does not exist' },
    },
    GetAccountSettings: {
      AccountLimit: { ConcurrentExecutions: 10, UnreservedConcurrentExecutions: 10 },
      AccountUsage: { FunctionCount: 0 },
    },
    DescribeAvailabilityZones: zonesAnswer(['use1-az3', 'use1-az4', 'use1-az6', 'use1-az1']),
    CreateCluster: createCluster(['kafka.t3.small']),
  };
}
