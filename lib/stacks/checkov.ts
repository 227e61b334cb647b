import { CfnResource, type IAspect, Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/**
 * Shows checkov, which sees only templates, what was acknowledged: rules whose names begin with `CKV_`, of a resource or of
 * what it belongs to, go into the resource's metadata.
 * https://www.checkov.io/2.Basics/Suppressing%20and%20Skipping%20Policies.html
 */
export class CheckovAcknowledgements implements IAspect {
  visit(construct: IConstruct): void {
    if (!CfnResource.isCfnResource(construct)) return;
    const skip = construct.node.scopes.flatMap(acknowledged);
    if (skip.length > 0) construct.addMetadata('checkov', { skip });
  }
}

function acknowledged({ node }: IConstruct): { id: string; comment: string }[] {
  return node.metadata
    .filter(({ type }) => type === Validations.ACKNOWLEDGED_RULES_METADATA_KEY)
    .flatMap(({ data }) => Object.entries(data as Record<string, string>))
    .flatMap(([name, comment]) => {
      // CDK puts a prefix before the name.
      const [id] = /CKV_\w+$/.exec(name) ?? [];
      return id ? [{ id, comment }] : [];
    });
}
