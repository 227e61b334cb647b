import { Stack } from 'aws-cdk-lib';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { AwsSolutionsChecks, ServerlessChecks } from 'cdk-nag';
import { describe, expect, it } from 'vitest';
import { appWithoutBundles } from '../../scale/inventory.ts';
import { builtApp, CHECKED_STAGES } from './synthesised.ts';

describe.each(CHECKED_STAGES)(
  'cdk-nag finds nothing in %s that is not acknowledged with a reason',
  (_title, stage, settings) => {
    it.each([
      ['AwsSolutions', AwsSolutionsChecks],
      ['Serverless', ServerlessChecks],
    ])('%s', (_, Pack) => {
      const { app } = builtApp(stage, settings);
      app.synth();
      const { violations } = new Pack(app).validateScope(app);
      const findings = violations.flatMap(({ ruleName, violatingResources }) =>
        violatingResources.map(
          ({ constructPath, resourceLogicalId }) => `${ruleName} ${constructPath ?? resourceLogicalId}`,
        ),
      );
      expect(findings).toEqual([]);
    });
  },
);

describe('cdk-nag', () => {
  it('does find what is wrong', () => {
    const app = appWithoutBundles();
    new Bucket(new Stack(app, 'Wrong'), 'Bucket');
    app.synth();
    const { violations } = new AwsSolutionsChecks(app).validateScope(app);
    expect(violations.map(({ ruleName }) => ruleName)).toContain('AwsSolutions-S1');
  });
});
