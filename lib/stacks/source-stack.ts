import { NestedStack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { Ingest, type IngestProps } from '../ingest/ingest.ts';

/**
 * Everything of one source. CloudFormation allows 500 resources in a stack, which a dozen and a half sources would fill;
 * in a stack of its own, a source comes and goes without a change to any other.
 */
export class SourceStack extends NestedStack {
  readonly ingest: Ingest;

  constructor(scope: Construct, id: string, props: IngestProps) {
    super(scope, id, { description: `Polls ${props.source.name}` });
    this.ingest = new Ingest(this, 'Ingest', props);
  }
}
