import { Names } from 'aws-cdk-lib';
import * as chatbot from 'aws-cdk-lib/aws-chatbot';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as sns from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import type { StageConfig } from '../config/stage-config.ts';

export interface ChatProps {
  readonly rooms: StageConfig['alarms']['chat'];
  readonly pages: sns.Topic;
  readonly notices: sns.Topic;
}

/**
 * Posts alarms to chat rooms through AWS Chatbot ("Amazon Q Developer in chat applications"), which must be authorized
 * for the workspace or team once, in its console. Nothing can be done to the account from a room: the role has no
 * permissions, and the guardrail, which would default to administrator access, denies everything.
 */
export class Chat extends Construct {
  constructor(scope: Construct, id: string, { rooms, pages, notices }: ChatProps) {
    super(scope, id);
    const role = new iam.Role(this, 'Role', {
      assumedBy: new iam.ServicePrincipal('chatbot.amazonaws.com'),
      description: 'Posts alarms to chat rooms; has no permissions',
    });
    const guardrail = iam.ManagedPolicy.fromAwsManagedPolicyName('AWSDenyAll');
    for (const [position, room] of rooms.entries()) {
      const place = new Construct(this, `Room${position}`);
      const common = {
        configurationName: Names.uniqueResourceName(place, { maxLength: 120, separator: '-' }),
        iamRoleArn: role.roleArn,
        guardrailPolicies: [guardrail.managedPolicyArn],
        snsTopicArns: room.topics.map((name) => (name === 'pages' ? pages : notices).topicArn),
      };
      if (room.app === 'slack') {
        new chatbot.CfnSlackChannelConfiguration(place, 'Slack', {
          ...common,
          slackWorkspaceId: room.workspaceId,
          slackChannelId: room.channelId,
        });
      } else {
        new chatbot.CfnMicrosoftTeamsChannelConfiguration(place, 'Teams', {
          ...common,
          teamId: room.teamId,
          teamsTenantId: room.tenantId,
          teamsChannelId: room.channelId,
        });
      }
    }
  }
}
