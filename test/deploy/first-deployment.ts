import { CreateBucketCommand, PutBucketVersioningCommand } from '@aws-sdk/client-s3';
import kafkajs from 'kafkajs';
import { expect, it } from 'vitest';
import { savedObjects } from '../../charts/saved-objects.ts';
import { stageConfig } from '../../lib/config/stages.ts';
import { STAGE } from './local-aws.ts';
import { REPLICA, type Stage } from './stage.ts';

/** Deploys, and checks what CloudFormation and setup have created. */
export function firstDeployment(stage: () => Stage): void {
  it('is deployed', async () => {
    const { s3, local } = stage();
    await local.cdk('bootstrap', 'aws://000000000000/us-east-1');
    await s3.send(new CreateBucketCommand({ Bucket: REPLICA }));
    await s3.send(
      new PutBucketVersioningCommand({ Bucket: REPLICA, VersioningConfiguration: { Status: 'Enabled' } }),
    );
    await stage().deploy(await stage().synth('first', {}));
    expect(Object.keys(stage().stateless)).toEqual(
      expect.arrayContaining([
        'IndexFunctionName',
        'InsightsFunctionName',
        'OperateFunctionName',
        'FirstQuestion',
      ]),
    );
  });

  it('has the topic that CloudFormation created, with its configuration', async () => {
    const { topic, local } = stage();
    const { resources } = await local.kafkaAdmin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic, configNames: ['retention.ms'] }],
    });
    expect(resources[0]?.configEntries[0]?.configValue).toBe(
      String(stageConfig(STAGE).stream.topic.retentionHours * 3_600_000),
    );
  });

  it('has the templates, roles and users that the setup resource put, signed in as the master user', async () => {
    const { openSearch, openSearchFront } = stage().local;
    const { body } = await openSearch.indices.getIndexTemplate({ name: 'crypto-market-insights-tickers' });
    expect(body).toMatchObject({
      index_templates: [
        { index_template: { template: { settings: { index: { refresh_interval: '30s' } } } } },
      ],
    });
    const security = async (path: string) => {
      const { body } = await openSearch.transport.request({
        method: 'GET',
        path: `/_plugins/_security/api/${path}`,
      });
      return body as Record<string, unknown>;
    };
    const ours = Object.keys(await security('roles')).filter((name) =>
      name.startsWith('crypto-market-insights-'),
    );
    expect(ours.sort()).toEqual(
      ['index', 'insights', 'operate', 'reader', 'summarise', 'watch'].map(
        (name) => `crypto-market-insights-${name}`,
      ),
    );
    expect(await security('internalusers')).toHaveProperty('reader');
    expect(await security('rolesmapping/crypto-market-insights-index')).toMatchObject({
      'crypto-market-insights-index': {
        backend_roles: [expect.stringMatching(/^arn:aws:iam::000000000000:role\/.*Indexer/)],
      },
    });
    expect(openSearchFront.refusals).toEqual([]);
  });

  it('has the dashboards that the setup resource imported', () => {
    expect(stage().local.dashboards.objects.size).toBe(savedObjects().length);
  });
}
