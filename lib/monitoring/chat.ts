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
 * Tells chat rooms of alarms, through AWS Chatbot ("Amazon Q Developer in chat applications"). The workspace or team
 * has to be let in once, in its console. Nobody can do anything to the account from the room: the role may do nothing,
 * and the guard rail, which would be an administrator's by default, forbids the rest.
 */
export class Chat extends Construct {
  constructor(scope: Construct, id: string, { rooms, pages, notices }: ChatProps) {
    super(scope, id);
    const role = new iam.Role(this, 'Role', {
      assumedBy: new iam.ServicePrincipal('chatbot.amazonaws.com'),
      description: 'Of chat rooms that are told of alarms; may do nothing',
    });
    const guardrail = iam.ManagedPolicy.fromAwsManagedPolicyName('AWSDenyAll');
    for (const [position, room] of rooms.entries()) {
      const place = new Construct(this, `Room${position}`);
      const topics = room.topics.map((name) => (name === 'pages' ? pages : notices));
      const configurationName = Names.uniqueResourceName(place, { maxLength: 120, separator: '-' });
      if (room.app === 'slack') {
        new chatbot.CfnSlackChannelConfiguration(place, 'Slack', {
          configurationName,
          slackWorkspaceId: room.workspaceId,
          slackChannelId: room.channelId,
          iamRoleArn: role.roleArn,
          guardrailPolicies: [guardrail.managedPolicyArn],
          snsTopicArns: topics.map(({ topicArn }) => topicArn),
        });
      } else {
        new chatbot.CfnMicrosoftTeamsChannelConfiguration(place, 'Teams', {
          configurationName,
          teamId: room.teamId,
          teamsTenantId: room.tenantId,
          teamsChannelId: room.channelId,
          iamRoleArn: role.roleArn,
          guardrailPolicies: [guardrail.managedPolicyArn],
          snsTopicArns: topics.map(({ topicArn }) => topicArn),
        });
      }
    }
  }
}
