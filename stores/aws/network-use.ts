import {
  DescribeAddressesCommand,
  DescribeAvailabilityZonesCommand,
  EC2Client,
  type EC2ClientConfig,
  paginateDescribeNatGateways,
  paginateDescribeSubnets,
  paginateDescribeVpcs,
  type Subnet,
} from '@aws-sdk/client-ec2';
import {
  GetAWSDefaultServiceQuotaCommand,
  GetServiceQuotaCommand,
  ServiceQuotasClient,
  type ServiceQuotasClientConfig,
} from '@aws-sdk/client-service-quotas';
import type { Account } from '../../core/operate/preflight/ports.ts';

/** https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html */
const VPCS = { ServiceCode: 'vpc', QuotaCode: 'L-F678F1CE' };
const NAT_GATEWAYS_PER_ZONE = { ServiceCode: 'vpc', QuotaCode: 'L-FE5A380F' };
/** https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/elastic-ip-addresses-eip.html */
const ADDRESSES = { ServiceCode: 'ec2', QuotaCode: 'L-0263D0A3' };

type NetworkPart = Pick<Account, 'zones' | 'defaultZones' | 'vpcs' | 'addresses' | 'natGateways'>;

/** The zones of the region, and how much of the network's quotas is used. */
export function networkUse(options: EC2ClientConfig & ServiceQuotasClientConfig): NetworkPart {
  const ec2 = new EC2Client(options);
  const quotas = new ServiceQuotasClient(options);

  const quotaOf = async (quota: typeof VPCS): Promise<number> => {
    const { Quota } = await quotas.send(new GetServiceQuotaCommand(quota)).catch((error: Error) => {
      // A quota that was never raised may have only a default value.
      if (error.name !== 'NoSuchResourceException') throw error;
      return quotas.send(new GetAWSDefaultServiceQuotaCommand(quota));
    });
    if (Quota?.Value === undefined) throw new Error(`Service Quotas has no value of ${quota.QuotaCode}`);
    return Quota.Value;
  };
  const zones = async () => {
    const filter = { Filters: [{ Name: 'zone-type', Values: ['availability-zone'] }] };
    const { AvailabilityZones = [] } = await ec2.send(new DescribeAvailabilityZonesCommand(filter));
    return AvailabilityZones.filter(({ State }) => State === 'available')
      .map(({ ZoneName: name = '', ZoneId: id = '' }) => ({ name, id }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  };
  const subnets = async (onlyDefault: boolean) => {
    const filter = onlyDefault ? { Filters: [{ Name: 'default-for-az', Values: ['true'] }] } : {};
    const found: Subnet[] = [];
    for await (const { Subnets = [] } of paginateDescribeSubnets({ client: ec2 }, filter))
      found.push(...Subnets);
    return found;
  };
  return {
    zones,
    // https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-getavailabilityzones.html
    async defaultZones() {
      const [all, withSubnet] = await Promise.all([zones(), subnets(true)]);
      const names = new Set(withSubnet.map(({ AvailabilityZone }) => AvailabilityZone));
      const known = all.map(({ name }) => name);
      return names.size === 0 ? known : known.filter((name) => names.has(name));
    },
    async vpcs() {
      let used = 0;
      for await (const { Vpcs = [] } of paginateDescribeVpcs({ client: ec2 }, {})) used += Vpcs.length;
      return { used, quota: await quotaOf(VPCS) };
    },
    async addresses() {
      const { Addresses = [] } = await ec2.send(new DescribeAddressesCommand({}));
      return { used: Addresses.length, quota: await quotaOf(ADDRESSES) };
    },
    async natGateways() {
      const Filter = [{ Name: 'state', Values: ['pending', 'available'] }];
      const inSubnets: string[] = [];
      for await (const { NatGateways = [] } of paginateDescribeNatGateways({ client: ec2 }, { Filter })) {
        inSubnets.push(...NatGateways.map(({ SubnetId = '' }) => SubnetId));
      }
      const zoneOf = new Map((await subnets(false)).map((each) => [each.SubnetId, each.AvailabilityZone]));
      const byZone = Map.groupBy(inSubnets, (subnet) => zoneOf.get(subnet));
      const used = Math.max(0, ...[...byZone.values()].map(({ length }) => length));
      return { used, quota: await quotaOf(NAT_GATEWAYS_PER_ZONE) };
    },
  };
}
